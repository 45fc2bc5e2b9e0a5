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
  type Destination,
  destinationSocket,
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
import { type DescriptorContext, makeConstruct, makeDestroy } from './open-close.js';
import { installSocketWrite, sendsRegions } from './socket-write.js';
import { AT_END, cutRegion, hasLostBytes, newSource, nextChunk, nextWindow, type Source } from './source.js';
import { undoneAfterRegions } from './undo-after-regions.js';

type Read = FileReadStream['_read'];

const sources = hiddenSlot<FileReadStream, Source>();

function sourceOf(stream: FileReadStream): Source {
  const known = sources.get(stream);
  if (known !== undefined) return known;
  const source = newSource();
  source.reason = whyNotSource(stream);
  source.isRefused = source.reason !== undefined;
  if (source.reason !== undefined) countReason(stream, source.reason);
  sources.set(stream, source);
  return source;
}

function countReason(stream: FileReadStream, reason: Reason): void {
  count(counters.notRerouted, reason);
  if (fileChannel.hasSubscribers) publishFile({ path: stream.path, route: 'node', reason });
  debug('not rerouted, %s: %s', reason, stream.path);
}

function readByNode(stream: FileReadStream, size: number, original: Read, source: Source): void {
  source.isReadByNode = true;
  original.call(stream, size);
}

/** Node's own read. A stream that changes its mind is counted once a change, not once a chunk. */
function readAsEver(stream: FileReadStream, size: number, original: Read, source: Source, reason: Reason): void {
  if (source.reason !== reason) countReason(stream, reason);
  source.reason = reason;
  readByNode(stream, size, original, source);
}

/**
 * A file has lost bytes since its stream began, and they may have been promised. Then the next response would be taken for the
 * rest of this one, so there must be none; chunks have kept their promises so far. All else goes on as ever.
 */
function onEnd(stream: FileReadStream, source: Source): void {
  if (source.isCutShort || !hasLostBytes(source, stream)) return;
  source.isCutShort = true;
  counters.truncatedFiles++;
  debug('a file became shorter while it was sent: %s', stream.path);
  const response = source.socket?._httpMessage;
  if (response && !response.chunkedEncoding) endConnectionAfter(response);
}

/** The decision about one window, and what it needs. */
interface Rerouting extends DescriptorContext {
  readonly limits: { readonly min: number; readonly window: number };
  readonly original: Read;
}

/** Hand the next window to the pipe as a region, or have Node read. All is asked anew: the app has had a turn since `_read`. */
function deliver(rerouting: Rerouting, stream: FileReadStream, size: number, source: Source): void {
  if (stream.destroyed || typeof stream.fd !== 'number') return;
  const { eligibility, original } = rerouting;
  const files = rerouting.files();
  const [destination] = stream._readableState.pipes;
  // Unpiped meanwhile, mostly as the client has left: whoever consumes it now gets it from Node.
  if (destination === undefined) return readByNode(stream, size, original, source);
  const socket = destinationSocket(eligibility, destination);
  if (isBarred(socket)) return readAsEver(stream, size, original, source, socket);
  const reason = whyNotNow(stream);
  if (reason !== undefined) return readAsEver(stream, size, original, source, reason);
  if (rerouting.state.isUndone || files === undefined || hasBuffered(stream)) {
    return readByNode(stream, size, original, source);
  }
  // Paused, most likely by the pipe while the socket is full. Node would read ahead; we have nothing to gain by that but the end.
  if (!isFlowing(stream) && !source.isAtEnd) return postponeRead(stream);
  if (socket === UNDECIDED) deliverChunk(files, rerouting, stream, size, source);
  else deliverWindow(files, rerouting, stream, size, source, socket);
}

/** A chunk as Node would read it, from the page cache: nobody can say yet what becomes of it. */
function deliverChunk(
  files: FileCalls,
  { original }: Rerouting,
  stream: FileReadStream,
  size: number,
  source: Source,
): void {
  const chunk = nextChunk(files, source, stream, stream.fd ?? -1, size);
  if (typeof chunk === 'string') return readAsEver(stream, size, original, source, chunk);
  moveOn(stream, chunk.length);
  count(counters.copiedBytes, UNDECIDED, chunk.length);
  stream.push(chunk);
}

function deliverWindow(
  files: FileCalls,
  { limits, original }: Rerouting,
  stream: FileReadStream,
  size: number,
  source: Source,
  socket: NetSocket,
): void {
  const [destination] = stream._readableState.pipes;
  source.socket = socket;
  const window = nextWindow(files, source, stream, stream.fd ?? -1, limits, () => promisedBytes(destination));
  if (window === AT_END) {
    onEnd(stream, source);
    stream.push(null);
    return;
  }
  if (!isFlowing(stream)) return postponeRead(stream);
  if (typeof window === 'string') return readAsEver(stream, size, original, source, window);
  const region = cutRegion(files, source, stream, window);
  if (region === undefined) return readByNode(stream, size, original, source);
  moveOn(stream, window);
  if (!source.isRerouted) counters.reroutedStreams++;
  source.isRerouted = true;
  source.reason = undefined;
  stream.push(region.boundFor(socket));
}

/** A read of a paused stream. What Node has begun to read, or would keep for a response that waits for its turn, it goes on with. */
function readPaused(
  stream: FileReadStream,
  size: number,
  original: Read,
  source: Source,
  destination: Destination,
): void {
  if (isBarred(destination)) readAsEver(stream, size, original, source, destination);
  else if (hasBuffered(stream)) readByNode(stream, size, original, source);
  else postponeRead(stream);
}

/** A read of a stream that is piped to one destination. */
function readForPipe(rerouting: Rerouting, stream: FileReadStream, size: number): void {
  const { eligibility, original } = rerouting;
  const source = sourceOf(stream);
  // A read of nothing is the end to Node.
  if (source.isRefused || size <= 0) return readByNode(stream, size, original, source);
  const socket = destinationSocket(eligibility, stream._readableState.pipes[0]);
  const reason = staysBarred(socket) ? socket : whyNotNow(stream);
  if (reason !== undefined) return readAsEver(stream, size, original, source, reason);
  if (!isFlowing(stream) && !source.isAtEnd) return readPaused(stream, size, original, source, socket);
  return poolTurn(() => deliver(rerouting, stream, size, source));
}

function makeRead(rerouting: Rerouting): Read {
  return function (this: FileReadStream, size) {
    if (!rerouting.state.isUndone && this._readableState.pipes.length === 1) return readForPipe(rerouting, this, size);
    const source = sources.get(this);
    if (source !== undefined) source.isReadByNode = true;
    return rerouting.original.call(this, size);
  };
}

/** What is known of a stream that is being destroyed. It may have been Node's own read that came to the end of its file. */
function sourceAtDestroy(stream: FileReadStream): Source | undefined {
  const source = sources.get(stream);
  if (source !== undefined && stream.readableEnded) onEnd(stream, source);
  if (source?.isRerouted && fileChannel.hasSubscribers) {
    publishFile({ path: stream.path, route: source.isCopied ? 'copied' : 'sendfile', bytes: stream.bytesRead });
  }
  return source;
}

const patchDestroy = undoneAfterRegions(() =>
  replaceOwn('ReadStream._destroy', (original) => makeDestroy(sourceAtDestroy, original)),
);

function install(context: HookContext): Undo | undefined {
  const limits = context.sendfile;
  if (limits === undefined) return undefined;
  const files = (): FileCalls | undefined => context.platform().files;
  const eligibility = { sendsRegions, isStreamSocket: (fd: number) => files()?.isStreamSocket(fd) ?? false };
  const state = { isUndone: false };
  const descriptors = { files, eligibility, state, sourceOf };
  const undo = allOrNone([
    () => installSocketWrite(files, limits.joins),
    patchDestroy,
    () =>
      replaceAllOwn({
        'ReadStream._construct': (original) => makeConstruct(descriptors, original),
        'ReadStream._read': (original) => makeRead({ ...descriptors, limits, original }),
      }),
  ]);
  return (
    undo &&
    (() => {
      state.isUndone = true;
      undo();
    })
  );
}

/** fs.ReadStream piped to a plain socket or response: its windows become regions. */
export const readStreamHook: Hook = { name: 'read-stream', install };
