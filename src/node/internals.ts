/**
 * The undocumented members of Node's objects that we rely on, each with the file that defines it (Node 20 to 26) and the
 * test that would notice a change. Nothing outside this file may cast one of Node's objects to a type of ours. Every property is
 * readonly, so that the compiler reports an assignment to one; hooks/patch.ts alone takes that off.
 */
import type nodeCluster from 'node:cluster';
import type { ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { hiddenSlot } from './hidden-slot.js';

export type WriteCallback = (error?: Error | null) => void;

/** TCP or Pipe of src/tcp_wrap.cc, src/pipe_wrap.cc; TLSWrap of src/crypto/crypto_tls.cc. Test: native/handle-fd. */
export interface SocketHandle {
  readonly fd?: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** Bytes that libuv has queued because the socket took no more. */
  readonly writeQueueSize?: number;
  /** Not of a Unix socket. */
  getpeername?(name: SocketName): number;
  setNoDelay?(enable: boolean): number;
  setKeepAlive?(enable: boolean, seconds: number): number;
  /** TLSWrap: the handle below (lib/_tls_wrap.js `_wrapHandle`); see {@link handleBelow}. */
  readonly _parent?: SocketHandle;
}

/** The TCP handle below a TLSWrap; undefined of a handle that has none below. */
export function handleBelow(handle: SocketHandle): SocketHandle | undefined {
  return Object.hasOwn(handle, '_parent') ? handle._parent : undefined;
}

/** A listening handle; a cluster worker under round robin has one without an fd (lib/internal/cluster/child.js). */
export interface ListenHandle extends SocketHandle {
  /** Not of a Unix socket. */
  getsockname?(name: SocketName): number;
  /** Called by the handle for every connection (lib/net.js `onconnection`). Test: hooks/accepted-socket. */
  readonly onconnection?: ConnectionCallback;
}

/** A TCP handle before it is connected (src/tcp_wrap.cc). Test: hooks/outgoing-socket. */
export interface ConnectingHandle extends SocketHandle {
  open(fd: number): number;
  readonly connect: Connect;
  readonly connect6: Connect;
  readonly bind: Bind;
  readonly bind6: Bind;
  close(): void;
}

/** bind(2); 0, or libuv's error. */
export type Bind = (this: ConnectingHandle, ...args: unknown[]) => number;

/** Begins a connection; 0, or libuv's error. */
export type Connect = (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) => number;

/** TCPConnectWrap. */
export interface ConnectRequest {
  /** lib/net.js `afterConnect`, `afterConnectMultiple`. */
  readonly oncomplete?: (this: ConnectRequest, status: number, ...rest: unknown[]) => unknown;
}

/** A UDP handle (src/udp_wrap.cc). Test: hooks/datagram. */
export interface DatagramHandle extends SocketHandle {
  /** Called once the socket is bound (lib/dgram.js `startListening`). */
  recvStart(...args: unknown[]): number;
}

export type ConnectionCallback = (this: ListenHandle, error: number, handle: SocketHandle | undefined) => unknown;

/** Part of a `_writev` batch (lib/internal/streams/writable.js `clearBuffer`). */
export interface WritePart {
  readonly chunk: Uint8Array | string;
  readonly encoding: string;
}

/** Batch of a `_writev`; `allBuffers` says that no part is a string. */
export type WriteBatch = WritePart[] & { allBuffers?: boolean };

/** lib/net.js `Socket.prototype._writeGeneric`. Test: hooks/socket-write. */
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
  /** Both are true while `_write` or `_writev` runs (lib/internal/streams/writable.js). Test: hooks/quick-ack. */
  readonly _writableState: { readonly writing: boolean; readonly sync: boolean };
  connect(...args: unknown[]): this;
  /** Restarts the socket's timeout; Node calls it for every read and write. */
  _unrefTimer(): void;
  /** The response or request that owns the connection's writing side (lib/_http_server.js `assignSocket`). */
  readonly _httpMessage?: HttpMessage | null;
  /** lib/_http_common.js; only its current message is looked at. */
  readonly parser?: { readonly incoming?: { readonly complete: boolean } | null } | null;
  /** Set on process.stdout and process.stderr (lib/internal/bootstrap/switches/is_main_thread.js). */
  readonly _isStdio?: boolean;
}

/** lib/_http_outgoing.js. */
export interface HttpMessage extends ServerResponse {
  readonly _hasBody: boolean;
  /** The header block as it is sent; null before it has been made. */
  readonly _header: string | null;
  /** The connection ends with it (lib/_http_server.js `resOnFinish`). */
  readonly _last: boolean;
  _send(...args: unknown[]): boolean;
  _writeRaw(...args: unknown[]): boolean;
  _flushOutput(socket: unknown): boolean | undefined;
}

/** lib/net.js. */
export interface NetServer extends Server {
  readonly _handle: ListenHandle | null;
  /** Whether Node switches NODELAY on for each connection (lib/net.js `onconnection`). */
  readonly noDelay?: boolean;
  /** Whether Node switches keepalive on for each connection, and so rewrites interval and count (the same place). */
  readonly keepAlive?: boolean;
  _listen2(...args: unknown[]): unknown;
  /** Emits 'close' once there is neither a listener nor a connection. Test: hooks/drain. */
  _emitCloseIfDrained(): void;
}

/** lib/internal/fs/streams.js. Test: hooks/read-stream. */
export interface FileReadStream extends ReadStream {
  readonly fd: number | null;
  /** Next position to read from; undefined reads on from wherever the descriptor stands. */
  readonly pos: number | undefined;
  /** Position of the last byte, or Infinity. */
  readonly end: number;
  /** Absent when the stream was given a descriptor instead of a path. */
  readonly flags?: string | number;
  readonly bytesRead: number;
  readonly mode?: number;
  /** Whether the stream closes its descriptor. */
  readonly autoClose: boolean;
  readonly _readableState: ReadableState;
  /** A method of the app's is called instead of fs.open(). */
  readonly open?: unknown;
  _construct(callback: (error?: Error | null) => void): void;
  _read(size: number): void;
  _destroy(error: Error | null, callback: (error?: Error | null) => void): void;
}

/** lib/internal/streams/readable.js. */
export interface ReadableState {
  readonly pipes: readonly unknown[];
  readonly length: number;
  readonly objectMode: boolean;
  readonly flowing: boolean | null;
  readonly ended: boolean;
  readonly errored: Error | null;
  readonly decoder: unknown;
  /** `_read` was called and has not pushed yet. */
  readonly reading: boolean;
  readonly readableListening: boolean;
}

/**
 * Node's modules are taken like this, and never imported: `net` costs milliseconds at every start, listening or not, and an
 * `import` of `fs` or `util` evaluates all that they export, which loads streams and promises.
 */
export function fs(): typeof import('node:fs') {
  fsModule ??= process.getBuiltinModule('node:fs');
  return fsModule;
}

/** See {@link fs}. */
export function net(): NetModule {
  netModule ??= process.getBuiltinModule('node:net');
  return netModule;
}

/** A module of CommonJS (lib/internal/modules/cjs/loader.js). */
export interface CommonModule extends NodeJS.Module {
  /** Runs its code, however it is loaded: by require(), or by an import (lib/internal/modules/esm/translators.js). Test: hooks/compression. */
  _compile(...args: unknown[]): unknown;
}

/** What all of them have for their prototype. */
export function modulePrototype(): CommonModule {
  return process.getBuiltinModule('node:module').Module.prototype as CommonModule;
}

/** lib/net.js exports it for lib/internal/cluster/shared_handle.js; a number is libuv's error. Test: hooks/before-bind. */
type NetModule = typeof import('node:net') & {
  readonly _createServerHandle?: (
    address: string | null,
    port: number,
    addressType: number,
    fd?: number,
    flags?: number,
  ) => BoundHandle | number;
};

/** A TCP handle that is bound. */
export type BoundHandle = ConnectingHandle & ListenHandle & { listen(backlog: number): number };

/** src/tcp_wrap.cc, TCPWrap::SocketType. */
const TCP_SOCKET = 0;
const TCP_SERVER = 1;

/** A handle of the same class for a descriptor; undefined if that cannot be, and then the descriptor is still the caller's. */
function handleFor(like: ListenHandle, type: number, fd: number): BoundHandle | undefined {
  const TCP = like.constructor as unknown as new (type: number) => BoundHandle;
  const handle = new TCP(type);
  if (handle.open(fd) === 0) return handle;
  handle.close();
  return undefined;
}

/** A second handle for a listener that is open already; as {@link handleFor}. */
export function listenerHandle(like: ListenHandle, fd: number): BoundHandle | undefined {
  return handleFor(like, TCP_SERVER, fd);
}

/** A handle for a connection that a listener has accepted; as {@link handleFor}. */
export function connectionHandle(listener: ListenHandle, fd: number): SocketHandle | undefined {
  return handleFor(listener, TCP_SOCKET, fd);
}

/** What a worker of a cluster asks of its primary (lib/internal/cluster/child.js `_getServer`). Test: hooks/cluster. */
export interface ClusterMessage {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
  readonly key?: unknown;
  readonly accepted?: unknown;
  readonly index?: unknown;
  readonly data?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly addressType?: unknown;
  readonly fd?: unknown;
  readonly flags?: unknown;
  readonly backlog?: unknown;
}

/** What a server asks for, in a worker (lib/net.js `listenInCluster`). */
export interface ServerQuery {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number | string;
  readonly fd?: number;
  readonly flags?: number;
}

/** What comes with a handle by IPC (lib/internal/child_process.js `handleConversion`). Test: register/handed-over. */
export interface HandleMessage {
  readonly cmd?: unknown;
  /** The kind of object that was sent: `net.Socket`, or `net.Native` for a bare handle. */
  readonly type?: unknown;
  /** What it was sent with; Node's own messages have a `cmd` that begins with `NODE_`. */
  readonly msg?: unknown;
  /** `_connectionKey` of the server that has accepted the socket. */
  readonly key?: unknown;
}

export type GetServer = (
  this: unknown,
  server: object,
  query: ServerQuery,
  callback: (error: number, handle: unknown) => void,
) => unknown;

export type Fork = (this: unknown, env?: object) => ClusterWorker;

/** lib/internal/cluster/{primary,child}.js. */
export type ClusterModule = typeof nodeCluster & {
  readonly _getServer?: GetServer;
};

export type ClusterWorker = import('node:cluster').Worker;

/** Send a worker a message of Node's own kind, and a handle. */
export function sendHandle(
  worker: ClusterWorker,
  message: ClusterMessage & { readonly errno?: number },
  handle: SocketHandle,
  onSent: (error: Error | null) => void,
): void {
  worker.process.send({ ...message, cmd: 'NODE_CLUSTER' }, handle as unknown as Socket, undefined, onSent);
}

/** Tell the primary of the cluster something of ours. Returns whether it can be told. */
export function sendToPrimary(act: string, address: string, data: number): boolean {
  if (!process.connected) return false;
  // It may have gone this very moment, which Node itself notices.
  return process.send?.({ cmd: 'NODE_CLUSTER', act, address, data }, undefined, undefined, () => undefined) ?? false;
}

export function closeHandle(handle: SocketHandle): void {
  (handle as BoundHandle).close();
}

/** Node publishes each server here before it binds: lib/net.js; Node's docs, diagnostics_channel. */
export const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';

/** The cluster, as it is in this process. Asking for it loads net and child_process. */
export function cluster(): ClusterModule {
  return process.getBuiltinModule('node:cluster') as unknown as ClusterModule;
}

/** Kept, as asking cuts the `node:` off each time, which makes a string. */
let fsModule: typeof import('node:fs') | undefined;
let netModule: NetModule | undefined;

/** What has been loaded of Node's own modules (lib/internal/bootstrap/realm.js). Test: first-use. */
export function moduleLoadList(): readonly string[] | undefined {
  return (process as { readonly moduleLoadList?: readonly string[] }).moduleLoadList;
}

/** See {@link moduleLoadList}. */
export const NET_MODULE = 'NativeModule net';

/** Whether it is loaded already. Where Node does not say: yes. */
export function isNetLoaded(): boolean {
  return moduleLoadList()?.includes(NET_MODULE) ?? true;
}

/**
 * Text that Node's own version of a function has in its source, on every Node that we support. Only a function that has it is
 * Node's own: a wrapper (a compression, a logger, an APM agent, mock-fs) may do anything with what it is given.
 */
const OWN_SOURCE = {
  'OutgoingMessage.write': 'write_(this, chunk, encoding, callback, false)',
  'OutgoingMessage._send': 'this._headerSent',
  'OutgoingMessage._writeRaw': '_httpMessage === this',
  'OutgoingMessage._flushOutput': 'outputLength = this.outputData.length',
  'Socket._write': 'this._writeGeneric(false',
  'Socket._writev': 'this._writeGeneric(true',
  'Socket._writeGeneric': 'this._pendingData = data',
  'Socket._destroy': 'this[kBytesWritten] = this._handle.bytesWritten',
  'Socket._unrefTimer': 's[kTimeout].refresh()',
  'setupChannel/internalMessage': "message.cmd === 'NODE_HANDLE_ACK'",
  startListeningIfSignal: 'signalWraps.set(type, wrap)',
  stopListeningIfSignal: 'signalWraps.delete(type)',
  'Server._listen2': 'this._handle.listen(backlog',
  'Writable.write': '_write(this, chunk, encoding, cb)',
  'Writable.cork': 'state.corked++',
  'Writable.uncork': 'clearBuffer(this, state)',
  // Deprecated, and does nothing: what it is wrapped in says so.
  'ReadStream.open': 'process.noDeprecation',
  'ReadStream._construct': '.open(stream.path, stream.flags, stream.mode',
  'ReadStream._read': '.read(this.fd, buf, 0, n, this.pos',
  'ReadStream._destroy': 'this[kIsPerformingIO]',
  'Readable.push': 'readableAddChunk',
  'Readable.pipe/ondata': 'const ret = dest.write(chunk)',
  'EventEmitter.emit': 'kErrorMonitor',
  'fs.read': 'binding.read(',
  'fs.open': 'binding.open(',
  'fs.openSync': 'binding.open(',
  'fs.close': 'binding.close(fd, req)',
  'fs.closeSync': 'binding.close(fd)',
} as const;

type Own = keyof typeof OWN_SOURCE;

const OWN_NAMES = Object.keys(OWN_SOURCE) as Own[];

/** The function that was found to be Node's own the last time: mostly the one that is asked about next. */
const lastOwn: { [W in Own]?: Function } = {};

/** Replacements of ours, and closures of which each has its turn only a few times. */
const knownOwn = hiddenSlot<Function, Own>();

/** Whether a function is Node's own, by its source: identity would miss what was wrapped before we came. */
export function isNodesOwn(value: unknown, which: Own): value is Function {
  if (typeof value !== 'function') return false;
  if (lastOwn[which] === value || knownOwn.get(value) === which) return true;
  if (!Function.prototype.toString.call(value).includes(OWN_SOURCE[which])) return false;
  // This one is a closure, which must not be kept with all that it holds.
  if (which === 'Readable.pipe/ondata') knownOwn.set(value, which);
  else lastOwn[which] = value;
  return true;
}

/** A replacement of ours does what the original does, so whoever comes next may build on it as on Node's own. */
export function standsFor(replacement: Function, original: Function): void {
  const which = OWN_NAMES.find((name) => lastOwn[name] === original) ?? knownOwn.get(original);
  if (which !== undefined) knownOwn.set(replacement, which);
}

/** lib/internal/fs/streams.js `kFs`, found on the first stream by its description. */
let fsSymbol: symbol | undefined;

/** The stream's own `fs`. */
export function fsOf(stream: object): unknown {
  fsSymbol ??= Object.getOwnPropertySymbols(stream).find((symbol) => symbol.description === 'kFs');
  return fsSymbol === undefined ? undefined : (stream as Record<symbol, unknown>)[fsSymbol];
}

/** The only listener of an event, if it has just one: Node then keeps the function itself (lib/events.js). */
export function onlyListener(emitter: object, event: string): Function | undefined {
  const listener = (emitter as { readonly _events?: Readonly<Record<string, unknown>> })._events?.[event];
  return typeof listener === 'function' ? listener : undefined;
}

/**
 * What has come from the parent process, and waits for the app to listen for messages (lib/internal/child_process.js
 * `kPendingMessages`): handles as the app will see them, sockets and servers. Test: register/handed-over.
 */
export function pendingHandles(): readonly unknown[] {
  const channel: object = process.channel ?? {};
  const symbol = Object.getOwnPropertySymbols(channel).find(({ description }) => description === 'kPendingMessages');
  const messages: unknown = symbol === undefined ? undefined : Reflect.get(channel, symbol);
  // The arguments that 'message' will be emitted with.
  return Array.isArray(messages) ? messages.map((args: unknown) => Array.isArray(args) && args[2]).filter(Boolean) : [];
}

/** Begins, or ends, to listen for a signal, if `event` is one (lib/internal/process/signal.js). */
export type SignalListener = (event: string) => void;

/** The events of the process by which Node does so, and what it has among their listeners. */
const SIGNAL_LISTENERS = { newListener: 'startListeningIfSignal', removeListener: 'stopListeningIfSignal' } as const;

/** See {@link SIGNAL_LISTENERS}. Undefined in worker threads, where nobody hears of signals. Test: register/signals. */
export function signalListener(event: keyof typeof SIGNAL_LISTENERS): SignalListener | undefined {
  const listener = process.rawListeners(event).find((one) => isNodesOwn(one, SIGNAL_LISTENERS[event]));
  return listener as SignalListener | undefined;
}

/** The port that a listening handle is bound to; a Unix socket has none. */
export function boundPort(handle: ListenHandle): number | undefined {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return name.port;
}

/** Whether a handle is connected to somebody. */
export function hasPeer(handle: SocketHandle): boolean {
  return handle.getpeername?.({}) === 0;
}

/** As Node gives the ends of sockets. */
export interface SocketName {
  readonly address?: string;
  readonly port?: number;
  readonly family?: string;
}

/** `127.0.0.1:80`, `[::]:80`. */
export function formatName({ address, port, family }: SocketName): string {
  if (address === undefined) return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The other end of a connection, as an address and a port; of a Unix socket there is none. */
export function peerOf(handle: SocketHandle): string {
  const name: SocketName = {};
  handle.getpeername?.(name);
  return formatName(name);
}

/** This end of a connection, or where a listener is bound, in the same way. */
export function boundAddress(handle: ListenHandle): { readonly address: string; readonly port: number | undefined } {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return { address: formatName(name), port: name.port };
}

/** The socket that a handle belongs to (lib/internal/async_hooks.js `owner_symbol`). Test: hooks/outgoing-socket. */
let ownerSymbol: symbol | undefined;

export function ownerOf(handle: object): unknown {
  ownerSymbol ??= Object.getOwnPropertySymbols(handle).find((symbol) => symbol.description === 'owner_symbol');
  return ownerSymbol === undefined ? undefined : Reflect.get(handle, ownerSymbol);
}

/** What the handle of a class has for its prototype, if it looks as we know it. */
export function connectingPrototype(handle: SocketHandle | null | undefined): ConnectingHandle | undefined {
  const prototype: unknown = handle && Object.getPrototypeOf(handle);
  const known = prototype as ConnectingHandle | undefined;
  const isKnown = ['open', 'connect', 'connect6'].every(
    (name) => known !== undefined && typeof Reflect.get(known, name) === 'function',
  );
  return isKnown ? known : undefined;
}

/** lib/internal/dgram.js `kStateSymbol`. */
let datagramState: symbol | undefined;

/** The handle of a dgram.Socket, if it looks as we know it. */
export function datagramHandle(socket: object): DatagramHandle | undefined {
  datagramState ??= Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  const state: unknown = datagramState === undefined ? undefined : Reflect.get(socket, datagramState);
  const { handle } = (state ?? {}) as { readonly handle?: Partial<DatagramHandle> | null };
  return typeof handle?.recvStart === 'function' ? (handle as DatagramHandle) : undefined;
}

/** The prototype of such a handle, by which all are patched. */
export function datagramPrototype(socket: object): DatagramHandle | undefined {
  const handle = datagramHandle(socket);
  return handle && (Object.getPrototypeOf(handle) as DatagramHandle);
}

/** The server that has accepted a socket (lib/net.js `onconnection`); nothing of one that was connected from here. */
export function serverOf(socket: NetSocket): unknown {
  return Reflect.get(socket, 'server');
}

export function asNetSocket(socket: Socket): NetSocket {
  return socket as NetSocket;
}

export function asNetServer(server: Server): NetServer {
  return server as NetServer;
}

/** Whether it has an `_handle` at all, i.e. is, or looks like, one of net's sockets or servers. */
export function hasHandle(value: unknown): value is { readonly _handle: SocketHandle | null } {
  return typeof value === 'object' && value !== null && '_handle' in value;
}
