import type { FileCalls } from '../../native/platform.js';
import { poolTurn } from '../../node/clock.js';
import { fs } from '../../node/modules.js';
import { isNodesOwn } from '../../node/own-source.js';
import { setDescriptor } from '../../node/patch/streams.js';
import type { FileReadStream } from '../../node/streams.js';
import { destinationSocket, type EligibilityContext, staysBarred, whyNotSource } from './eligibility.js';
import { opensAtOnce, type Source } from './source.js';

type Construct = FileReadStream['_construct'];
type Destroy = FileReadStream['_destroy'];
type Callback = (error?: Error | null) => void;

/** What opening and closing need to know. */
export interface DescriptorContext {
  /** Undefined where this system has none. */
  readonly files: () => FileCalls | undefined;
  readonly eligibility: EligibilityContext;
  readonly state: { isUndone: boolean };
  readonly sourceOf: (stream: FileReadStream) => Source;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether `open` is what Node has there: nothing on Node 26, and before that a method that says it is deprecated. */
function hasNodesOpen({ open }: FileReadStream): boolean {
  return open === undefined || isNodesOwn(open, 'ReadStream.open');
}

/** The descriptor of a stream's file, if all speaks for its being open in no time. */
function openNow(context: DescriptorContext, stream: FileReadStream): number | undefined {
  const { path, flags, mode, fd } = stream;
  const [pipe, second] = stream._readableState.pipes;
  if (typeof path !== 'string' || fd !== null || pipe === undefined || second !== undefined) return undefined;
  if (whyNotSource(stream) !== undefined) return undefined;
  if (staysBarred(destinationSocket(context.eligibility, pipe))) return undefined;
  const { open, openSync } = fs();
  if (!hasNodesOpen(stream) || !isNodesOwn(open, 'fs.open') || !isNodesOwn(openSync, 'fs.openSync')) return undefined;
  const files = context.files();
  if (files === undefined || !opensAtOnce(files, context.sourceOf(stream), path)) return undefined;
  try {
    // Node's own, so that it knows of the descriptor, and who may read what.
    return fs().openSync(path, flags ?? 'r', mode);
  } catch {
    // Whatever is wrong is wrong for Node's own way too, which reports it.
    return undefined;
  }
}

/** What Node does when a file is open (lib/internal/fs/streams.js `_construct`). */
function onOpen(stream: FileReadStream, fd: number, callback: Callback): void {
  setDescriptor(stream, fd);
  callback();
  stream.emit('open', fd);
  stream.emit('ready');
}

/**
 * Opens a small file at once where nothing has to be waited for, instead of in the thread pool. That it is open is said when
 * the pool could have said it: an app may come by then to listen.
 */
export function makeConstruct(context: DescriptorContext, original: Construct): Construct {
  return function (this: FileReadStream, callback) {
    const fd = context.state.isUndone ? undefined : openNow(context, this);
    if (fd === undefined) return original.call(this, callback);
    poolTurn(() => onOpen(this, fd, callback));
  };
}

/** Whether closing waits for nothing: no read of Node's own is under way, and the file lies where we know that it does not. */
function closesNow(stream: FileReadStream, { descriptor, isSmall, isReadByNode }: Source): boolean {
  if (descriptor === undefined || !isSmall || isReadByNode || stream.flags === undefined) return false;
  return isNodesOwn(fs().close, 'fs.close') && isNodesOwn(fs().closeSync, 'fs.closeSync');
}

function close(stream: FileReadStream, fd: number): Error | undefined {
  // As Node does, and what tells its own code that there is nothing left to close.
  setDescriptor(stream, null);
  try {
    fs().closeSync(fd);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}

/** When a stream closes its file, regions that are still on their way go on with a descriptor of their own. */
export function makeDestroy(knownSource: (stream: FileReadStream) => Source | undefined, original: Destroy): Destroy {
  return function (this: FileReadStream, error, callback) {
    const source = knownSource(this);
    const descriptor = source?.descriptor;
    if (descriptor?.isHeld && !descriptor.own()) {
      // No descriptor is left to duplicate it to (EMFILE): the stream closes when the regions have ended.
      descriptor.whenIdle(() => original.call(this, error, callback));
      return;
    }
    const { fd } = this;
    if (source === undefined || typeof fd !== 'number' || !closesNow(this, source)) {
      return original.call(this, error, callback);
    }
    const failure = close(this, fd);
    poolTurn(() => original.call(this, failure ?? error, callback));
  };
}
