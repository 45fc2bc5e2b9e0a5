import { familyOf, fdOf } from '../../native/sockets/handle-fd.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { HttpMessage } from '../../node/http.js';
import { fs, net } from '../../node/modules.js';
import type { NetSocket, SocketHandle } from '../../node/net.js';
import { isNodesOwn } from '../../node/own-source.js';
import { type FileReadStream, fsOf, onlyListener } from '../../node/streams.js';

/** Why a stream is left to Node. Each reason is counted and shown by the report. */
export type Reason =
  | 'no-single-pipe'
  | 'not-a-socket'
  | 'tls-or-wrapped-socket'
  | 'patched-socket'
  | 'patched-response'
  | 'compressed'
  | 'patched-stream'
  | 'patched-fs'
  | 'stdio'
  | 'destination-not-ready'
  | 'destination-ended'
  | 'no-body'
  | 'strict-content-length'
  | 'other-consumer'
  | 'encoding-or-object-mode'
  | 'descriptor-without-start'
  | 'file-handle'
  | 'flags'
  | 'not-a-regular-file'
  | 'empty-file'
  | 'unknown-filesystem'
  | 'not-resident'
  /** The kernel does not tell: a file of an overlay that the process neither owns nor may write. */
  | 'residency-unknown';

/** Answers of others, which import this file. */
export interface EligibilityContext {
  /** Whether a `_writeGeneric` is the one that understands regions. */
  sendsRegions(writeGeneric: unknown): boolean;
  isStreamSocket(fd: number): boolean;
}

/** A response whose next chunk may be compressed or not: the middleware settles it when the chunk comes. */
export const UNDECIDED = 'undecided';

/** The socket that takes regions, or why there is none. */
export type Destination = NetSocket | typeof UNDECIDED | Reason;

/** Whether there is a reason for Node's own path. */
export function isBarred(destination: Destination): destination is Reason {
  return typeof destination === 'string' && destination !== UNDECIDED;
}

/** A response waits for the one before it on its connection. That is mostly ending: a client asks once it has all bytes. */
const NOT_READY: Reason = 'destination-not-ready';

/** Whether there is a reason that will still hold some turns of the event loop later. */
export function staysBarred(destination: Destination): destination is Reason {
  return isBarred(destination) && destination !== NOT_READY;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** An http.ServerResponse, told by members that only it has: frameworks put prototypes of their own in between. */
function isResponse(value: object): value is HttpMessage {
  return '_send' in value && 'assignSocket' in value && 'socket' in value;
}

function isSocket(value: object): value is NetSocket {
  // The first test is cheap, and true of nearly all.
  return isPlainSocket(value) || ('_handle' in value && '_writeGeneric' in value);
}

function isPlainSocket(value: object): boolean {
  return Object.getPrototypeOf(value) === net().Socket.prototype;
}

const isStream = hiddenSlot<SocketHandle, true>();

/** Why a handle is no stream socket. */
export function whyNotHandle(context: EligibilityContext, handle: SocketHandle): Reason | undefined {
  const family = familyOf(handle);
  if (family === 'tcp' || isStream.get(handle)) return undefined;
  // One of Node's Pipe handles may be a FIFO.
  if (family === undefined || !context.isStreamSocket(fdOf(handle))) return 'not-a-socket';
  isStream.set(handle, true);
  return undefined;
}

/** Whether every function that a chunk meets on its way through a socket is Node's own. */
export function isUnpatched(context: EligibilityContext, socket: NetSocket): boolean {
  return (
    isNodesOwn(socket.write, 'Writable.write') &&
    isNodesOwn(socket._write, 'Socket._write') &&
    isNodesOwn(socket._writev, 'Socket._writev') &&
    isNodesOwn(socket.cork, 'Writable.cork') &&
    isNodesOwn(socket.uncork, 'Writable.uncork') &&
    context.sendsRegions(socket._writeGeneric)
  );
}

/** Why a socket's writes do not end up in the kernel unchanged. */
export function whyNotSocket(context: EligibilityContext, socket: NetSocket): Reason | undefined {
  if (!isPlainSocket(socket)) return ENCRYPTED;
  if (socket._isStdio === true) return 'stdio';
  if (!isUnpatched(context, socket)) return 'patched-socket';
  if (socket.destroyed || !socket.writable) return 'destination-ended';
  if (socket._handle === null || socket.connecting) return NOT_READY;
  return whyNotHandle(context, socket._handle);
}

/** A `write` that a middleware has put on a response. Unless it encodes the body, it hands every chunk on to Node's own. */
const passThrough = hiddenSlot<object, unknown>();

export function notePassThrough(response: object, write: unknown): void {
  passThrough.set(response, write);
}

function whyNotWrite(response: HttpMessage): Reason | typeof UNDECIDED | undefined {
  const { write, _header: header } = response;
  if (isNodesOwn(write, 'OutgoingMessage.write')) return undefined;
  if (passThrough.get(response) !== write) return 'patched-response';
  // The middleware decides when the first chunk comes, and says so in the header. An app that encodes the body by itself looks
  // the same.
  if (header === null) return UNDECIDED;
  return /^content-encoding:/im.test(header) ? 'compressed' : undefined;
}

function whyNotResponse(response: HttpMessage): Reason | typeof UNDECIDED | undefined {
  const reason = whyNotWrite(response);
  if (reason !== undefined && reason !== UNDECIDED) return reason;
  if (!isNodesOwn(response._send, 'OutgoingMessage._send')) return 'patched-response';
  if (!isNodesOwn(response._writeRaw, 'OutgoingMessage._writeRaw')) return 'patched-response';
  if (!isNodesOwn(response._flushOutput, 'OutgoingMessage._flushOutput')) return 'patched-response';
  if (response.destroyed || response.writableEnded) return 'destination-ended';
  // Node counts such a body chunk by chunk and throws at the first that is too much. Larger chunks would move that place.
  if (response.strictContentLength) return 'strict-content-length';
  return response._hasBody ? reason : 'no-body';
}

/** The socket that a destination's writes end up on unchanged, or why there is none. */
export function destinationSocket(context: EligibilityContext, destination: unknown): Destination {
  if (!isObject(destination)) return 'not-a-socket';
  if (!isResponse(destination)) {
    if (!isSocket(destination)) return 'not-a-socket';
    return whyNotSocket(context, destination) ?? destination;
  }
  const { socket } = destination;
  const reason = whyNotResponse(destination);
  if (reason !== undefined && reason !== UNDECIDED) return reason;
  // A pipelined response gets its socket when its turn comes. Until then Node keeps what it is given in memory.
  if (socket === null || !isSocket(socket) || socket._httpMessage !== destination) return NOT_READY;
  return whyNotSocket(context, socket) ?? reason ?? socket;
}

/** The reason of a socket that encrypts, or is no socket of Node's own. */
export const ENCRYPTED: Reason = 'tls-or-wrapped-socket';

/** The socket that a stream's chunks are written to within the call, and what the stream is piped to. */
export interface WrittenTo {
  readonly socket: NetSocket;
  readonly destination: NetSocket | HttpMessage;
}

/** Where the chunks of a piped stream are written to; undefined if somebody may keep them on the way. */
export function writtenTo(destination: unknown): WrittenTo | undefined {
  if (!isObject(destination)) return undefined;
  if (!isResponse(destination)) return isSocket(destination) ? { socket: destination, destination } : undefined;
  const { socket } = destination;
  if (socket === null || !isSocket(socket) || socket._httpMessage !== destination) return undefined;
  return isNodesOwn(destination.write, 'OutgoingMessage.write') ? { socket, destination } : undefined;
}

/** Bytes of body that the destination has promised; infinite where it is no response, or has not said. */
export function promisedBytes(destination: unknown): number {
  const header = isObject(destination) && isResponse(destination) ? destination._header : null;
  const length = header === null ? undefined : /^content-length: *(\d+)/im.exec(header)?.[1];
  return length === undefined ? Number.POSITIVE_INFINITY : Number(length);
}

/** Whether the peer was told where the body of a response ends: less than that would be completed by the next response. */
export function promisesLength(response: HttpMessage | null | undefined): boolean {
  const header = response?._header;
  return typeof header === 'string' && /^(?:content-length|transfer-encoding):/im.test(header);
}

/** Permanent reason: not a plain ReadStream that owns its descriptor or has a `start`. */
export function whyNotSource(stream: FileReadStream): Reason | undefined {
  if (Object.getPrototypeOf(stream) !== fs().ReadStream.prototype) return 'patched-stream';
  if (fsOf(stream) !== fs()) return Object.hasOwn(stream, 'flags') ? 'patched-fs' : 'file-handle';
  if (stream._readableState.objectMode) return 'encoding-or-object-mode';
  const hasPath = stream.flags !== undefined;
  if (hasPath && stream.flags !== 'r' && stream.flags !== fs().constants.O_RDONLY) return 'flags';
  // Such a stream moves the descriptor's own position, which somebody else may read on from.
  const isItsOwn = hasPath && stream.autoClose;
  return !isItsOwn && stream.pos === undefined ? 'descriptor-without-start' : undefined;
}

/** Why not now: somebody besides the one pipe sees or changes the stream's data. */
export function whyNotNow(stream: FileReadStream): Reason | undefined {
  const state = stream._readableState;
  if (state.pipes.length !== 1) return 'no-single-pipe';
  if (state.decoder !== null && state.decoder !== undefined) return 'encoding-or-object-mode';
  if (state.readableListening || !isNodesOwn(onlyListener(stream, 'data'), 'Readable.pipe/ondata'))
    return 'other-consumer';
  if (!isNodesOwn(stream.push, 'Readable.push') || !isNodesOwn(stream.emit, 'EventEmitter.emit'))
    return 'patched-stream';
  if (!isNodesOwn(fs().read, 'fs.read')) return 'patched-fs';
  // After the end or an error nothing may be pushed any more.
  return !state.ended && state.errored === null ? undefined : 'other-consumer';
}

/** Whether there are bytes that Node's own code has read. They must go first. */
export function hasBuffered(stream: FileReadStream): boolean {
  return stream._readableState.length > 0;
}

/** Whether the pipe has paused a stream until its destination has room: 'drain' is bound to come, and to have the stream flow again. */
export function awaitsDrain({ _readableState: state }: FileReadStream): boolean {
  return state.flowing === false && state.awaitDrainWriters === state.pipes[0];
}

/** Whether what is pushed now goes to the pipe at once, and not into the stream's buffer. */
export function isFlowing(stream: FileReadStream): boolean {
  return stream._readableState.flowing === true;
}
