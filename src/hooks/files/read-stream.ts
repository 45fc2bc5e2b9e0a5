import { debug } from '../../diagnostics.js';
import type { FileCalls } from '../../native/platform.js';
import { poolTurn } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { NetSocket } from '../../node/net.js';
import { replaceAllOwn, replaceOwn } from '../../node/patch/own-methods.js';
import { allOrNone, type Undo } from '../../node/patch/replace.js';
import { endConnectionAfter, moveOn, postponeRead } from '../../node/patch/streams.js';
import type { FileReadStream } from '../../node/streams.js';
import { fileChannel, publishFile } from '../../report/channels.js';
import { count, counters } from '../../report/counters.js';
import type { Hook, HookContext } from '../context.js';
import {
  awaitsDrain,
  type Destination,
  destinationSocket,
  ENCRYPTED,
  hasBuffered,
  isBarred,
  isFlowing,
  promisedBytes,
  type Reason,
  staysBarred,
  UNDECIDED,
  whyNotNow,
  whyNotSource,
} from './eligibility.js';
import { encryptingSocket, windowFor } from './encrypted.js';
import { type DescriptorContext, makeConstruct, makeDestroy } from './open-close.js';
import { installSocketWrite, sendsRegions } from './socket-write.js';
import {
  cutRegion,
  hasLostBytes,
  hasReadAll,
  isLeftToNode,
  newSource,
  nextChunk,
  nextWindow,
  type Refusal,
  regionKind,
  restOf,
  type Source,
  turnToNode,
  turnToRegions,
  type WindowLimits,
} from './source.js';
import { undoneAfterRegions } from './undo-after-regions.js';

type Read = FileReadStream['_read'];

/** What a read needs to know, besides its stream. */
interface ReadContext extends DescriptorContext {
  readonly limits: WindowLimits;
  /** What is in the page cache is read without the thread pool where it cannot go by sendfile. */
  readonly readsInline: boolean;
  /** Node's own `_read`. */
  readonly original: Read;
}

const sources = hiddenSlot<FileReadStream, Source>();

function sourceOf(stream: FileReadStream): Source {
  const known = sources.get(stream);
  if (known !== undefined) return known;
  const reason = whyNotSource(stream);
  const source = newSource(reason);
  if (reason !== undefined) countReason(stream, reason);
  sources.set(stream, source);
  return source;
}

function countReason(stream: FileReadStream, reason: Reason): void {
  count(counters.notRerouted, reason);
  if (fileChannel.hasSubscribers) publishFile({ path: stream.path, route: 'node', reason });
  debug('not rerouted, %s: %s', reason, stream.path);
}

function makeRead(context: ReadContext): Read {
  return function (this: FileReadStream, size) {
    if (this._readableState.pipes.length === 1) return readForPipe(context, this, size);
    const source = sources.get(this);
    if (source !== undefined) source.isReadByNode = true;
    return context.original.call(this, size);
  };
}

/** A read of a stream that is piped to one destination. */
function readForPipe(context: ReadContext, stream: FileReadStream, size: number): void {
  const source = sourceOf(stream);
  // A read of nothing is the end to Node.
  const isNodes = source.route.kind === 'refused' || isLeftToNode(source, stream);
  if (isNodes || size <= 0) return readByNode(context, stream, size, source);
  const socket = destinationSocket(context.eligibility, stream._readableState.pipes[0]);
  const reason = staysBarred(socket) ? socket : whyNotNow(stream);
  if (reason === ENCRYPTED && context.readsInline) return readToEncrypt(context, stream, size, source);
  if (reason !== undefined) return refuse(context, stream, size, source, reason);
  if (!isFlowing(stream) && !source.isAtEnd) return readPaused(context, stream, size, source, socket);
  return poolTurn(() => deliver(context, stream, size, source));
}

/** A read of a paused stream. Node goes on with what it has begun to read, or would keep for a response that waits for its turn. */
function readPaused(
  context: ReadContext,
  stream: FileReadStream,
  size: number,
  source: Source,
  destination: Destination,
): void {
  if (isBarred(destination)) refuse(context, stream, size, source, destination);
  else if (hasBuffered(stream)) readByNode(context, stream, size, source);
  else postponeRead(stream);
}

/** Hand the next window to the pipe as a region, or have Node read. All is asked anew: the app has had a turn since `_read`. */
function deliver(context: ReadContext, stream: FileReadStream, size: number, source: Source): void {
  if (stream.destroyed || typeof stream.fd !== 'number') return;
  const files = context.files();
  const [destination] = stream._readableState.pipes;
  // Unpiped meanwhile, mostly as the client has left: whoever consumes it now gets it from Node.
  if (destination === undefined) return readByNode(context, stream, size, source);
  const socket = destinationSocket(context.eligibility, destination);
  if (isBarred(socket)) return refuse(context, stream, size, source, socket);
  const reason = whyNotNow(stream);
  if (reason !== undefined) return refuse(context, stream, size, source, reason);
  if (files === undefined || hasBuffered(stream)) return readByNode(context, stream, size, source);
  // Paused, most likely by the pipe while the socket is full. Node would read ahead; we have nothing to gain by that but the end.
  if (!isFlowing(stream) && !source.isAtEnd) return postponeRead(stream);
  if (socket === UNDECIDED) deliverChunk(files, context, stream, size, source);
  else deliverWindow(files, context, stream, size, source, socket);
}

/** A chunk as Node would read it, from the page cache: nobody can say yet what becomes of it. */
function deliverChunk(
  files: FileCalls,
  context: ReadContext,
  stream: FileReadStream,
  size: number,
  source: Source,
): void {
  const next = nextChunk(files, source, stream, stream.fd ?? -1, size);
  if (next.kind !== 'chunk') return refuse(context, stream, size, source, next.reason, next.kind);
  moveOn(stream, next.chunk.length);
  count(counters.copiedBytes, UNDECIDED, next.chunk.length);
  stream.push(next.chunk);
}

function deliverWindow(
  files: FileCalls,
  context: ReadContext,
  stream: FileReadStream,
  size: number,
  source: Source,
  socket: NetSocket,
): void {
  const [destination] = stream._readableState.pipes;
  source.socket = socket;
  const window = nextWindow(files, source, stream, stream.fd ?? -1, context.limits, () => promisedBytes(destination));
  if (window.kind === 'end') {
    onEnd(stream, source);
    stream.push(null);
    return;
  }
  if (!isFlowing(stream)) return postponeRead(stream);
  if ('reason' in window) return refuse(context, stream, size, source, window.reason, window.kind);
  const region = cutRegion(files, source, stream, window);
  if (region === undefined) return readByNode(context, stream, size, source);
  moveOn(stream, window.count);
  if (turnToRegions(source, window.kind)) counters.reroutedStreams++;
  stream.push(region.boundFor(socket));
}

/** A read for a socket that encrypts. The bytes do not go by sendfile, but need no thread pool either. */
function readToEncrypt(context: ReadContext, stream: FileReadStream, size: number, source: Source): void {
  if (turnToNode(source, { kind: 'node', reason: ENCRYPTED })) countReason(stream, ENCRYPTED);
  if (waitsForPipe(stream, source)) postponeRead(stream);
  else if (isFlowing(stream)) poolTurn(() => deliverToEncrypt(context, stream, size, source));
  else readByNode(context, stream, size, source);
}

/**
 * Whether a read is postponed until the pipe goes on: a chunk that is read ahead needs a fresh buffer. Node reads ahead where it has to wait for the
 * bytes, and where it was the app that paused the stream: the app may read by itself then.
 */
function waitsForPipe(stream: FileReadStream, source: Source): boolean {
  return source.hasWindow && awaitsDrain(stream) && !hasBuffered(stream) && whyNotNow(stream) === undefined;
}

/** As {@link deliver}. */
function deliverToEncrypt(context: ReadContext, stream: FileReadStream, size: number, source: Source): void {
  if (stream.destroyed || typeof stream.fd !== 'number') return;
  if (waitsForPipe(stream, source)) return postponeRead(stream);
  const window = windowToEncrypt(context, stream, stream.fd, source);
  if (window === 'end') {
    stream.push(null);
    return;
  }
  source.hasWindow = window !== undefined;
  if (window === undefined) return readByNode(context, stream, size, source);
  moveOn(stream, window.length);
  count(counters.copiedBytes, 'encrypted', window.length);
  const isLast = hasReadAll(stream);
  stream.push(window);
  // A client that has all bytes of a response may send its next request, or close, before a later turn would end the response.
  if (isLast && !stream.destroyed) stream.push(null);
}

function windowToEncrypt(
  context: ReadContext,
  stream: FileReadStream,
  fd: number,
  source: Source,
): Buffer | 'end' | undefined {
  const files = context.files();
  const [destination] = stream._readableState.pipes;
  if (files === undefined || destinationSocket(context.eligibility, destination) !== ENCRYPTED) return undefined;
  if (whyNotNow(stream) !== undefined || !isFlowing(stream) || hasBuffered(stream)) return undefined;
  const user = encryptingSocket(context.eligibility, destination);
  if (user === undefined) return undefined;
  const rest = restOf(files, source, stream, fd, () => promisedBytes(destination));
  if (rest.kind !== 'rest') return undefined;
  // Node would take a buffer to find that there is nothing to read.
  return hasReadAll(stream) ? 'end' : windowFor(user, files, fd, rest.position, rest.count);
}

/** Have Node read, and count the reason: once a change, not once a chunk. */
function refuse(
  context: ReadContext,
  stream: FileReadStream,
  size: number,
  source: Source,
  reason: Reason,
  kind: Refusal['kind'] = 'node',
): void {
  if (turnToNode(source, { kind, reason })) countReason(stream, reason);
  readByNode(context, stream, size, source);
}

function readByNode({ original }: ReadContext, stream: FileReadStream, size: number, source: Source): void {
  source.isReadByNode = true;
  original.call(stream, size);
}

/**
 * A file that has lost bytes since its stream began may have promised them. Then the next response would be taken for the rest of
 * this one, so there must be none. Chunks have kept their promises so far, and all else goes on.
 */
function onEnd(stream: FileReadStream, source: Source): void {
  if (source.isCutShort || !hasLostBytes(source, stream)) return;
  source.isCutShort = true;
  counters.truncatedFiles++;
  debug('a file became shorter while it was sent: %s', stream.path);
  const response = source.socket?._httpMessage;
  if (response && !response.chunkedEncoding) endConnectionAfter(response);
}

/** What is known of a stream that is being destroyed. It may have been Node's own read that came to the end of its file. */
function sourceAtDestroy(stream: FileReadStream): Source | undefined {
  const source = sources.get(stream);
  if (source === undefined) return undefined;
  if (stream.readableEnded) onEnd(stream, source);
  const route = regionKind(source);
  if (route !== undefined && fileChannel.hasSubscribers) {
    publishFile({ path: stream.path, route, bytes: stream.bytesRead });
  }
  return source;
}

const patchDestroy = undoneAfterRegions(() =>
  replaceOwn('ReadStream._destroy', (original) => makeDestroy(sourceAtDestroy, original)),
);

function install(hookContext: HookContext): Undo | undefined {
  const { sendfile: limits, answersFs: readsInline } = hookContext;
  if (limits === undefined) return undefined;
  const files = (): FileCalls | undefined => hookContext.platform().files;
  const eligibility = { sendsRegions, isStreamSocket: (fd: number) => files()?.isStreamSocket(fd) ?? false };
  const context = { files, eligibility, sourceOf };
  return allOrNone([
    () => installSocketWrite(files, limits.joins),
    patchDestroy,
    () =>
      replaceAllOwn({
        'ReadStream._construct': (original) => makeConstruct(context, original),
        'ReadStream._read': (original) => makeRead({ ...context, limits, readsInline, original }),
      }),
  ]);
}

/** fs.ReadStream piped to a plain socket or response: its windows become regions. */
export const readStreamHook: Hook = { name: 'read-stream', install };
