import type { SocketHandle } from '../node/net.js';
import { withoutPrototype } from '../node/own-properties.js';
import type { PortSocket, PortState } from './ports/port-socket.js';
import type { Steering } from './ports/socket-program.js';
import type { TcpInfo } from './sockets/tcp-info.js';

/** A constant of the system's headers, with what differs from the table on this platform. */
export interface SocketConstant {
  readonly level: number;
  readonly name: number;
  /** Listeners do not know it here: it is set on each accepted socket. */
  readonly acceptedOnly?: true;
  /** It must be set after listen(2) here. */
  readonly afterListen?: true;
  /** The kernel's unit in the table's: 1000 where the table has milliseconds and the kernel seconds. */
  readonly divisor?: number;
  /** The greatest value that the kernel takes here; what is larger means the same as this. */
  readonly greatest?: number;
  /** Not an option of setsockopt(2): it is set by this call, and read by a means of the platform's own. */
  readonly call?: 'listen';
  /** The form of the option that goes beyond the system's limits, for processes with CAP_NET_ADMIN. */
  readonly privileged?: SocketConstant;
}

/** The constants of a platform. What one of them does not say, it does not inherit either. */
export function constantTable(
  constants: Readonly<Record<string, SocketConstant>>,
): Readonly<Record<string, SocketConstant>> {
  const entries = Object.entries(constants).map(([name, constant]) => [name, withoutPrototype(constant)] as const);
  return withoutPrototype(Object.fromEntries(entries));
}

/** Calls on files and descriptors that the file path needs. A negative result is an errno, negated. */
export interface FileCalls {
  /** sendfile(2) from `position` of `file`; never moves the file's own position. */
  sendfile(socket: number, file: number, position: number, count: number): number;
  /** send(2); with MSG_MORE if there is more, so that what follows at once joins the same segment. */
  send(socket: number, data: Uint8Array, hasMore: boolean): number;
  /** fcntl(2) F_DUPFD_CLOEXEC: a second descriptor of the same open file, which no child process inherits. */
  duplicate(fd: number): number;
  close(fd: number): number;
  /** Fill `status` with what the file is now; false if the system does not say. */
  status(fd: number, status: FileStatus): boolean;
  /** The same of what a path names; false also if that is not known without waiting for a disk. */
  lookUp(path: string, status: FileStatus): boolean;
  /** How many bytes from `position` on are in the page cache, so that sending them waits for no disk; at most `count`. */
  resident(fd: number, position: number, count: number): number;
  readonly staging: Staging;
  /** Read a piece of a file to where it has its room in a buffer; false if it has not, or not all of it is in the page cache. */
  stage(fd: number, position: number, count: number, slot: number): boolean;
  /** Whether the file, of this status, lies on a file system whose files have the size they claim. */
  hasKnownFilesystem(fd: number, status: FileStatus): boolean;
  /** Whether `hasKnownFilesystem` has said so of a file on the same file system before. */
  isOnKnownFilesystem(status: FileStatus): boolean;
  /** Whether the descriptor is a stream socket: a FIFO behind one of Node's Pipe handles is not. */
  isStreamSocket(fd: number): boolean;
  /** After how many milliseconds a full socket has room worth filling, long before it reports that itself; 0 if it reports it soon. */
  refillDelay(socket: number): number;
}

/** Buffers in which small files pass through: up to `lead` bytes that go ahead, and `room` for the file's own behind them. */
export interface Staging {
  readonly buffers: readonly Buffer[];
  readonly lead: number;
  readonly room: number;
}

/** What statx(2) tells of a file. One object is filled again and again, so that asking costs no allocation. */
export interface FileStatus {
  regular: boolean;
  size: number;
  inode: number;
  /** Major and minor number of the device that its file system is on; major 0 is given out anew after an unmount. */
  deviceMajor: number;
  deviceMinor: number;
  /** Number of the mount, never given out again; 0 before kernel 6.8. */
  mount: number;
}

/** What the kernel does on a signal: struct sigaction, as bytes to keep and to put back. */
export type SignalAction = Uint8Array<ArrayBuffer>;

/** sigaction(2). */
export interface SignalActions {
  /** The action of a signal, by its number, as it is now. */
  current(signal: number): SignalAction | undefined;
  /** Returns whether the kernel took it. */
  set(signal: number, action: SignalAction): boolean;
  /** The same action with SA_RESETHAND: for one signal only, the next has the kernel's default. Undefined where that is not possible. */
  once(action: SignalAction): SignalAction | undefined;
}

/** Calls on ports that several listeners share. */
export interface PortCalls {
  /** Choose which listener of a port gets a connection; any one of them will do. `undefined` takes the choice back. Returns 0 or an errno. */
  steer(handle: SocketHandle, steering: Steering | undefined): number;
  /**
   * Have a listener drop new SYNs, while handshakes under way still complete. Clients retransmit the SYN after a second. Returns 0 or an
   * errno.
   */
  ignoreNewcomers(handle: SocketHandle): number;
  /** Take the next connection of a listener's queue. Returns a descriptor, non-blocking and close-on-exec, or an errno, negated. */
  accept(handle: SocketHandle): number;
  /** Whether the connections of a closed listener pass to another on its port (net.ipv4.tcp_migrate_req). */
  migratesConnections(): boolean;
  /** The TCP sockets of all processes on a port; 0 means every port. Undefined where the kernel refuses to tell. */
  sockets(port: number, ...states: PortState[]): readonly PortSocket[] | undefined;
}

/** What a system offers. Everything that differs between systems is behind this. */
export interface Platform {
  readonly name: string;
  /** Why options are set through Node's own API only, where they are. */
  readonly unavailable: string | undefined;
  /** An option whose constant is missing here is unsupported here. */
  readonly constants: Readonly<Record<string, SocketConstant>>;
  /** setsockopt(2) with an int, or the bytes of a name. Returns 0 or an errno. */
  set(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number;
  /** getsockopt(2) into `value`. Returns 0 or an errno: EOPNOTSUPP where nothing can be read. */
  get(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number;
  /** The size in bytes up to which the kernel grows this buffer by itself; undefined if unknown. */
  autotuningCeiling(direction: 'receive' | 'send'): number | undefined;
  /** Why a listener's option that was set and read back has no effect all the same. */
  inertCause(constant: string): string | undefined;
  /** The system's limit that an option meets, with its value, in words. */
  limitOf(constant: string): string | undefined;
  /**
   * A TCP or UDP socket for options that must be set before bind(2) or connect(2): non-blocking and close-on-exec, as libuv makes them.
   * Returns its descriptor, or an errno, negated: -EOPNOTSUPP where the system cannot.
   */
  openSocket(isIPv6: boolean, isDatagram?: boolean): number;
  /**
   * close(2) of a descriptor that came from here. Node's own closeSync() warns in worker threads of a descriptor that its own open() has not
   * opened there. Returns 0 or an errno.
   */
  close(fd: number): number;
  /** What the kernel knows of a TCP connection; undefined where it does not tell, or the handle has none. */
  tcpInfo(handle: SocketHandle): TcpInfo | undefined;
  /** Calls on ports that several listeners share; undefined where the system has none. */
  readonly ports: PortCalls | undefined;
  readonly files: FileCalls | undefined;
  readonly signals: SignalActions | undefined;
}

/** An int as its only element, or the bytes of a name. */
export type OptionBytes = Int32Array | Uint8Array;
