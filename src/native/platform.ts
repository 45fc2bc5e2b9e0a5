import type { SocketHandle } from '../node/net.js';
import { withoutPrototype } from '../node/own-properties.js';
import type { PortSocket, PortState } from './ports/port-socket.js';
import type { Steering } from './ports/socket-program.js';
import type { AcceptQueue } from './sockets/accept-queue.js';
import type { ListenCounters } from './sockets/netstat.js';
import type { PeerState } from './sockets/peer-state.js';
import type { TcpInfo } from './sockets/tcp-info.js';

/** Constant of the system's headers, and how this platform differs from the table of options. */
export interface SocketConstant {
  readonly level: number;
  readonly name: number;
  /** Accepted sockets do not inherit it here: it is set on each. */
  readonly acceptedOnly?: true;
  /** It fails before listen(2) here. */
  readonly afterListen?: true;
  /** The kernel's unit, in units of the table: 1000 where the table has milliseconds and the kernel seconds. */
  readonly divisor?: number;
  /** Greatest value that the kernel takes here. Larger values mean the same. */
  readonly greatest?: number;
  /** The call that sets it, where setsockopt(2) does not. */
  readonly call?: 'listen' | 'socket';
  /** The kernel takes the index of a network interface here, and the table has its name. */
  readonly byIndex?: true;
  /** Form of the option for IPv6 sockets, where these refuse the other. */
  readonly ipv6?: SocketConstant;
  /** It may be set on a socket that is bound, whatever the table says. */
  readonly onBound?: true;
  /** Form of the option that ignores the system's limits, for processes with CAP_NET_ADMIN. */
  readonly privileged?: SocketConstant;
}

/** The constants of a platform, safe from properties on Object.prototype. */
export function constantTable(
  constants: Readonly<Record<string, SocketConstant>>,
): Readonly<Record<string, SocketConstant>> {
  const entries = Object.entries(constants).map(([name, constant]) => [name, withoutPrototype(constant)] as const);
  return withoutPrototype(Object.fromEntries(entries));
}

/** Calls on files and descriptors, for the file path. A negative result is an errno, negated. */
export interface FileCalls {
  /** sendfile(2) from `position` of `file`. The descriptor's own position stays. */
  sendfile(socket: number, file: number, position: number, count: number): number;
  /** send(2). `hasMore` sets MSG_MORE, so that the next bytes join the same segment. */
  send(socket: number, data: Uint8Array, hasMore: boolean): number;
  /** F_DUPFD_CLOEXEC of fcntl(2): a second descriptor of the same open file, which no child process inherits. */
  duplicate(fd: number): number;
  /** close(2). Returns 0 or an errno, negated. */
  close(fd: number): number;
  /** Fill `status` with the status of the file now. False on an error. */
  status(fd: number, status: FileStatus): boolean;
  /** The same from the kernel's own cache: no question to a server, or to the process behind a FUSE mount. */
  cachedStatus(fd: number, status: FileStatus): boolean;
  /** The same, and the 18 fields that Node makes its Stats of (src/node_file.h `FsStatsOffset`). */
  cachedFields(fd: number, status: FileStatus, fields: Float64Array): boolean;
  /** Returns an O_PATH descriptor of a path. EAGAIN if the answer would need a disk. */
  find(path: string, followsLink: boolean): number;
  /**
   * Read bytes that are in the page cache. EAGAIN if the first is not, EOPNOTSUPP if the kernel does not tell. Position -1 is where the
   * descriptor stands.
   */
  readNow(fd: number, buffer: Buffer, offset: number, count: number, position: number): number;
  /** Whether a descriptor was opened for reading alone. */
  isReadOnly(fd: number): boolean;
  /** Move the position of a descriptor back by so many bytes. */
  moveBack(fd: number, bytes: number): boolean;
  /** The same for a path. False also if the answer would need a disk. */
  lookUp(path: string, status: FileStatus): boolean;
  /**
   * Bytes in the page cache from `position` on, at most `count`. Sending them waits for no disk. Negative if the kernel does not tell.
   */
  resident(fd: number, position: number, count: number): number;
  readonly staging: Staging;
  /** Read a piece of a file into the buffer of a slot, behind its lead. False if it is too large, or not all in the page cache. */
  stage(fd: number, position: number, count: number, slot: number): boolean;
  /** Whether the file lies on a file system with true file sizes. `status` is that of the file. */
  hasKnownFilesystem(fd: number, status: FileStatus): boolean;
  /** Whether `hasKnownFilesystem` or `noteFilesystem` told so of an earlier file of the same file system. No system call. */
  isOnKnownFilesystem(status: FileStatus): boolean;
  /** Note the kind of file system that a file of this status is on: `f_type` of statfs(2). */
  noteFilesystem(status: FileStatus, type: number): void;
  /** Whether the descriptor is a stream socket. Node's Pipe handles may have a FIFO. */
  isStreamSocket(fd: number): boolean;
  /** Milliseconds until a full socket is worth filling again, before it reports room. 0 if that report comes soon. */
  refillDelay(socket: number): number;
  /** eventfd(2): a descriptor that counts events, and is readable as often. Non-blocking and close-on-exec. */
  openEvent(): number;
  /** Add so many events to an event descriptor. Returns 0 or an errno, negated. */
  notify(event: number, events: number): number;
}

/** Buffers for small files: at most `lead` bytes before the file, and `room` bytes of the file. */
export interface Staging {
  /** Those that were used so far, by slot. */
  readonly buffers: readonly Buffer[];
  /** Number of slots. */
  readonly most: number;
  readonly lead: number;
  readonly room: number;
}

/** Status of a file by statx(2). One object is filled again and again, so a call allocates nothing. */
export interface FileStatus {
  regular: boolean;
  size: number;
  inode: number;
  /** Major and minor number of the device of its file system. Numbers with major 0 are used again after an unmount. */
  deviceMajor: number;
  deviceMinor: number;
  /** Unique number of the mount, never used again; 0 before kernel 6.8. */
  mount: number;
}

/** The kernel's action on a signal: the bytes of struct sigaction, to keep and to put back. */
export type SignalAction = Uint8Array<ArrayBuffer>;

/** sigaction(2). */
export interface SignalActions {
  /** Action of a signal, by its number. Undefined on an error: EINVAL for a number that is no signal. */
  current(signal: number): SignalAction | undefined;
  /** Returns whether the kernel took it: EINVAL for SIGKILL and SIGSTOP. */
  set(signal: number, action: SignalAction): boolean;
  /** The same action with SA_RESETHAND, so the second signal has the kernel's default. Undefined for an unknown layout. */
  once(action: SignalAction): SignalAction | undefined;
}

/** Calls on ports that several listeners share. */
export interface PortCalls {
  /** Choose the listener of each new connection, through any listener of the port. `undefined` takes the choice back. Returns 0 or an errno. */
  steer(handle: SocketHandle, steering: Steering | undefined): number;
  /**
   * Have a listener drop new SYNs, while handshakes under way still complete. Clients retransmit the SYN after a second. Returns 0 or an
   * errno.
   */
  ignoreNewcomers(handle: SocketHandle): number;
  /** Have a listener take new SYNs again. Returns 0 or an errno. */
  acceptNewcomers(handle: SocketHandle): number;
  /** Take the next connection of a listener's queue. Returns a descriptor, non-blocking and close-on-exec, or an errno, negated. */
  accept(handle: SocketHandle): number;
  /** Whether the connections of a closed listener pass to another on its port (net.ipv4.tcp_migrate_req). */
  migratesConnections(): boolean;
  /** The TCP sockets of all processes on a port; 0 means every port. Undefined where the kernel refuses to tell. */
  sockets(port: number, ...states: PortState[]): readonly PortSocket[] | undefined;
}

/** Kinds of sockets that a platform makes: TCP, UDP, MPTCP (RFC 8684). */
export type SocketType = 'stream' | 'datagram' | 'multipath';

/** Sends of many datagrams by one call. */
export interface SegmentCalls {
  /** Where the datagrams are gathered, one behind the other. */
  readonly staging: Buffer;
  /** Datagrams of one call, at most. */
  readonly most: number;
  /** The socket address of a text, which stands for the host alone; undefined if it is none, or names a zone. */
  addressOf(text: string, isIPv6: boolean): Uint8Array | undefined;
  /**
   * Send what has been gathered: datagrams of `segment` bytes each, of which the last may be shorter. Without an address, to where the
   * socket is connected. Returns 0 or an errno; none has left then.
   */
  sendSegments(fd: number, bytes: number, segment: number, port: number, address: Uint8Array | undefined): number;
}

/** The names that an option takes. */
export interface OptionChoices {
  readonly available: readonly string[];
  /** Those of any process. The others take CAP_NET_ADMIN. Undefined: the system does not tell. */
  readonly allowed: readonly string[] | undefined;
}

/** A pipe of the kernel: pipe2(2). */
export interface KernelPipe {
  /** Descriptor of the end that is read. */
  readonly output: number;
  /** Descriptor of the end that is written. */
  readonly input: number;
  /** Bytes that it takes at most. */
  readonly size: number;
}

/** Calls that move bytes from socket to socket within the kernel. A negative result is an errno, negated. */
export interface SpliceCalls {
  /** Open a pipe of this size, or of what the user may have. Returns an errno, negated, on failure. */
  openPipe(size: number): KernelPipe | number;
  /** close(2) of an end that nobody else has. Returns 0 or an errno. */
  close(fd: number): number;
  /** splice(2), which does not wait: a socket into a pipe, or a pipe into a socket. */
  splice(from: number, to: number, count: number): number;
  /** read(2) of a pipe. */
  read(pipe: number, data: Uint8Array): number;
  /** Bytes that a socket has received, and that nobody has read: FIONREAD. 0 on an error. */
  unread(socket: number): number;
  /** Bytes that a socket takes before it is full, by its send buffer. 0 where the kernel does not tell. */
  room(socket: number): number;
  isStreamSocket(fd: number): boolean;
}

/** Calls of a system. All differences between systems are behind this interface. */
export interface Platform {
  readonly name: string;
  /** Reason that options are set through Node's own API only; undefined with native calls. */
  readonly unavailable: string | undefined;
  /** The constants of the options. An option without one is unsupported here. */
  readonly constants: Readonly<Record<string, SocketConstant>>;
  /** setsockopt(2) with an int, or the bytes of a name. Returns 0 or an errno. */
  set(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number;
  /** getsockopt(2) into `value`. Returns 0 or an errno: EOPNOTSUPP where nothing can be read. */
  get(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number;
  /** Bytes up to which the kernel grows this buffer by itself; undefined if unknown. */
  autotuningCeiling(direction: 'receive' | 'send'): number | undefined;
  /** Reason that an option has no effect, though it was set and read back; undefined if it has. */
  inertCause(constant: string): string | undefined;
  /** The system's limit for an option, in words: `net.core.rmem_max=212992`. */
  limitOf(constant: string): string | undefined;
  /** The names that an option takes on this system; undefined for an option that takes numbers, or where the system does not tell. */
  choicesOf(constant: string): OptionChoices | undefined;
  /**
   * A socket for options that must be set before bind(2) or connect(2): non-blocking and close-on-exec, as libuv makes them.
   * Returns its descriptor, or an errno, negated: -EOPNOTSUPP where the system cannot make one, -EPROTONOSUPPORT where it has no MPTCP.
   */
  openSocket(isIPv6: boolean, kind?: SocketType): number;
  /**
   * close(2) of a descriptor that came from here. Returns 0 or an errno. In worker threads Node's closeSync() warns about a descriptor that
   * Node has not opened there.
   */
  close(fd: number): number;
  /** TCP_INFO of a connection. Undefined on an error, or for a handle without a TCP socket. */
  tcpInfo(handle: SocketHandle): TcpInfo | undefined;
  /** The accept queue of a listener. Undefined for any other handle, and for one that is closed. */
  acceptQueue(handle: SocketHandle): AcceptQueue | undefined;
  /** What the listeners of this network namespace have dropped; undefined where the system does not tell. */
  listenCounters(): ListenCounters | undefined;
  /** Fill `state` with what the other end of a connection has answered. False on an error, or where the system does not tell. */
  peerState(handle: SocketHandle, state: PeerState): boolean;
  /** Whether the peer has closed a connection, as far as the kernel knows. False where the system cannot tell, or there is no socket. */
  hasPeerClosed(handle: SocketHandle): boolean;
  /** Calls on ports that several listeners share; undefined where the system has none. */
  readonly ports: PortCalls | undefined;
  readonly files: FileCalls | undefined;
  /** Made when it is first asked for. Undefined where the system has none. */
  segments(): SegmentCalls | undefined;
  /** Splicing; undefined where the system has none. The first call binds the functions. */
  splicing(): SpliceCalls | undefined;
  readonly signals: SignalActions | undefined;
}

/** An int, as the only element, or the bytes of a name. */
export type OptionBytes = Int32Array | Uint8Array;
