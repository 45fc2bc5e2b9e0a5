import type { Server, Socket } from 'node:net';
import { internalBinding } from './bindings.js';
import type { HttpMessage } from './http.js';
import type { ReadableState, WriteBatch, WriteCallback, WritePart } from './streams.js';
import { valueBySymbol } from './symbols.js';

/** TCP or Pipe of src/tcp_wrap.cc, src/pipe_wrap.cc; TLSWrap of src/crypto/crypto_tls.cc. Test: native/sockets/handle-fd. */
export interface SocketHandle {
  readonly fd?: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** Bytes that libuv has queued because the socket took no more. */
  readonly writeQueueSize?: number;
  /** Node has begun to read, and has not stopped (lib/net.js `tryReadStart`). Test: hooks/splice/piped-read. */
  readonly reading?: boolean;
  /** Called for every read (lib/internal/stream_base_commons.js `onStreamRead`). */
  readonly onread?: unknown;
  readStop?(): number;
  /** Whether it keeps the process alive. */
  hasRef?(): boolean;
  unref?(): void;
  /** Not of a Unix socket. */
  getpeername?(name: SocketName): number;
  setNoDelay?(enable: boolean): number;
  setKeepAlive?(enable: boolean, seconds: number): number;
  /** TLSWrap: the TCP handle below it (lib/internal/tls/wrap.js `_wrapHandle`); see {@link handleBelow}. */
  readonly _parent?: SocketHandle;
}

/** The TCP handle below a TLSWrap; undefined of a handle that has none below. */
export function handleBelow(handle: SocketHandle): SocketHandle | undefined {
  return Object.hasOwn(handle, '_parent') ? handle._parent : undefined;
}

/** A listening handle. A cluster's worker under round robin has a placeholder without an fd (lib/internal/cluster/child.js `rr`). */
export interface ListenHandle extends SocketHandle {
  /** Not of a Unix socket. */
  getsockname?(name: SocketName): number;
  /** The handle calls it for each connection (lib/net.js `onconnection`). Test: hooks/sockets/accepted-socket. */
  readonly onconnection?: ConnectionCallback;
}

/** A TCP handle before it is connected (src/tcp_wrap.cc). Test: hooks/sockets/outgoing-socket. */
export interface ConnectingHandle extends SocketHandle {
  open(fd: number): number;
  readonly connect: Connect;
  readonly connect6: Connect;
  readonly bind: Bind;
  readonly bind6: Bind;
  close(): void;
}

/** bind(2). Returns 0, or libuv's error. */
export type Bind = (this: ConnectingHandle, ...args: unknown[]) => number;

/** connect(2). Returns 0, or libuv's error. */
export type Connect = (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) => number;

/** TCPConnectWrap. */
export type OnComplete = (this: ConnectRequest, status: number, ...rest: unknown[]) => unknown;

export interface ConnectRequest {
  readonly address?: string;
  readonly port?: number;
  /** lib/net.js `afterConnect`, `afterConnectMultiple`. */
  readonly oncomplete?: OnComplete;
}

export type ConnectionCallback = (this: ListenHandle, error: number, handle: SocketHandle | undefined) => unknown;

/** lib/net.js `Socket.prototype._writeGeneric`. Test: hooks/files/socket-write. */
export type WriteGeneric = (
  this: NetSocket,
  writev: boolean,
  data: WriteBatch | Uint8Array | string,
  encoding: string,
  callback: WriteCallback,
) => unknown;

/** lib/net.js. */
export interface NetSocket extends Socket {
  readonly _handle: SocketHandle | null;
  readonly _writeGeneric: WriteGeneric;
  _write(chunk: unknown, encoding: string, callback: WriteCallback): void;
  _writev(chunks: WritePart[], callback: WriteCallback): void;
  _destroy(error: Error | null, callback: (error?: Error | null) => void): void;
  /** Both are true while `_write` or `_writev` runs (lib/internal/streams/writable.js). Test: hooks/sockets/quick-ack. */
  readonly _writableState: {
    readonly writing: boolean;
    readonly sync: boolean;
    /** Chunks that `_write` has not been given (the same file, `WritableState.getBuffer`). Test: hooks/files/encrypted. */
    getBuffer(): readonly unknown[];
  };
  readonly _readableState: ReadableState;
  /** Has the handle read, from now on (lib/net.js). Test: hooks/splice/piped-read. */
  _read(size: number): void;
  connect(...args: unknown[]): this;
  /** The name that is looked up, and of an earlier connection too. Null for an address. Test: hooks/sockets/outgoing-guard. */
  readonly _host?: unknown;
  /** Restarts the socket's timeout. Node calls it for every read and write. */
  _unrefTimer(): void;
  /** The socket's timeout is over: emits 'timeout', unless a write makes progress. Test: register/requests/behind. */
  _onTimeout(): void;
  /** Of accepted sockets (lib/net.js `onconnection`), the http server over TLS too (lib/_http_server.js `connectionListenerInternal`). */
  readonly server?: unknown;
  /** The response or request that owns the connection's writing side (lib/_http_server.js `assignSocket`). */
  readonly _httpMessage?: HttpMessage | null;
  /** lib/_http_common.js. We look only at the current message. */
  readonly parser?: { readonly incoming?: { readonly complete: boolean } | null } | null;
  /** Set on process.stdout and process.stderr (lib/internal/bootstrap/switches/is_main_thread.js). */
  readonly _isStdio?: boolean;
}

/** lib/net.js `setupListenHandle`, which is `_listen2`. */
export type ListenArguments = [
  address?: unknown,
  port?: unknown,
  addressType?: unknown,
  backlog?: unknown,
  fd?: unknown,
  flags?: unknown,
];

/** lib/net.js. */
export interface NetServer extends Server {
  readonly _handle: ListenHandle | null;
  /** Whether Node sets NODELAY on each connection (lib/net.js `onconnection`). */
  readonly noDelay?: boolean;
  /** Whether Node sets keepalive on each connection, and with it interval and count (the same place). */
  readonly keepAlive?: boolean;
  _listen2(...args: ListenArguments): unknown;
  /** Open connections that it has accepted (the same file). Test: register/leaving/closing. */
  readonly _connections: number;
  /** Emits 'close' once there is neither a listener nor a connection. Test: hooks/shared-port/drain. */
  _emitCloseIfDrained(): void;
}

/** A TCP handle that is bound. */
export type BoundHandle = ConnectingHandle & ListenHandle & { listen(backlog: number): number };

/** src/tcp_wrap.cc, TCPWrap::SocketType. */
const TCP_SOCKET = 0;

const TCP_SERVER = 1;

/** A handle of the same class for a descriptor; undefined on failure, and then the caller still owns the descriptor. */
function handleFor(like: ListenHandle, type: number, fd: number): BoundHandle | undefined {
  const TCP = like.constructor as unknown as new (type: number) => BoundHandle;
  const handle = new TCP(type);
  if (handle.open(fd) === 0) return handle;
  handle.close();
  return undefined;
}

/** A second handle for a listener that is open already: see {@link handleFor}. */
export function listenerHandle(like: ListenHandle, fd: number): BoundHandle | undefined {
  return handleFor(like, TCP_SERVER, fd);
}

/** A handle for a connection that a listener has accepted: see {@link handleFor}. */
export function connectionHandle(listener: ListenHandle, fd: number): SocketHandle | undefined {
  return handleFor(listener, TCP_SOCKET, fd);
}

export function closeHandle(handle: SocketHandle): void {
  (handle as BoundHandle).close();
}

/** Node publishes each server here before it binds (lib/net.js; Node's docs, diagnostics_channel). */
export const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';

/** An end of a socket, as getsockname() and getpeername() of a handle fill it in. */
export interface SocketName {
  readonly address?: string;
  readonly port?: number;
  readonly family?: string;
}

/** The socket that a handle belongs to. */
export function ownerOf(handle: object): unknown {
  return valueBySymbol(handle, 'owner_symbol');
}

/** Handles that keep the process alive, by their owners (lib/internal/bootstrap/node.js). Test: register/leaving/closing. */
function activeOwners(): readonly unknown[] {
  const { _getActiveHandles: owners } = process as { readonly _getActiveHandles?: () => unknown[] };
  return owners?.() ?? [];
}

/**
 * The sockets that a server has accepted and that are open. Of a TLS connection it is the socket below. Those that the app has unref'd
 * are not among them: they hold nobody up.
 */
export function acceptedSockets(server: object): readonly NetSocket[] {
  return activeOwners().filter(
    (owner): owner is NetSocket =>
      typeof owner === 'object' && owner !== null && Reflect.get(owner, '_server') === server,
  );
}

const CONNECTING = ['open', 'connect', 'connect6'] as const;

/** The prototype of a TCP handle or TLSWrap; undefined if it is not what we know. */
export function connectingPrototype(handle: SocketHandle | null | undefined): ConnectingHandle | undefined {
  return asConnecting(handle && Object.getPrototypeOf(handle));
}

function asConnecting(prototype: unknown): ConnectingHandle | undefined {
  return hasReplaceable<ConnectingHandle>(prototype, CONNECTING) ? prototype : undefined;
}

function hasMethods<T extends object>(value: unknown, names: readonly (keyof T & string)[]): value is T {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}

/** Whether methods may be replaced: an app may have frozen them, or put accessors in their place. */
function hasReplaceable<T extends object>(value: unknown, names: readonly (keyof T & string)[]): value is T {
  if (!hasMethods<T>(value, names) || !Object.isExtensible(value)) return false;
  return names.every((name) => {
    const own = Object.getOwnPropertyDescriptor(value, name);
    return own === undefined || (own.configurable === true && Object.hasOwn(own, 'value'));
  });
}

function handlePrototype(binding: 'tcp_wrap' | 'pipe_wrap', name: 'TCP' | 'Pipe'): unknown {
  const found = internalBinding(binding);
  const made: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  return typeof made === 'function' ? made.prototype : undefined;
}

/** The prototype of all TCP handles; undefined where it cannot be had without one of them. */
export function tcpPrototype(): ConnectingHandle | undefined {
  return asConnecting(handlePrototype('tcp_wrap', 'TCP'));
}

/** The prototypes of all handles that listen, TCP and Unix; undefined where they cannot be had without such a handle. */
export function listeningPrototypes(): readonly BoundHandle[] | undefined {
  const prototypes = [handlePrototype('tcp_wrap', 'TCP'), handlePrototype('pipe_wrap', 'Pipe')];
  return prototypes.every((one) => hasReplaceable<BoundHandle>(one, ['listen'])) ? prototypes : undefined;
}

/** The port in the arguments of `connect` (lib/net.js `normalizeArgs`); undefined for a path. Test: hooks/local-address. */
export function portOfConnect(args: readonly unknown[]): number | undefined {
  // Node's own callers pass arguments that are normalised: one array.
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  const port: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, 'port') : first;
  const isPort = typeof port === 'number' || (typeof port === 'string' && port.trim() !== '');
  return isPort && Number(port) >= 0 ? Number(port) : undefined;
}

/** Whether reads go into a buffer of the app's own, and not through the stream: `onread` of a socket's options. */
export function hasOwnBuffer(socket: NetSocket): boolean {
  return (valueBySymbol(socket, 'kBuffer') ?? null) !== null;
}

/** The server that has accepted a socket (lib/net.js `onconnection`); undefined of an outgoing socket. */
export function serverOf(socket: NetSocket): unknown {
  return Reflect.get(socket, 'server');
}

export function asNetSocket(socket: Socket): NetSocket {
  return socket as NetSocket;
}

export function asNetServer(server: Server): NetServer {
  return server as NetServer;
}

/** Whether a value has an `_handle`, as net's sockets and servers do. */
export function hasHandle(value: unknown): value is { readonly _handle: SocketHandle | null } {
  return typeof value === 'object' && value !== null && '_handle' in value;
}
