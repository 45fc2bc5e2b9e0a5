import { asError } from '../../errors.js';
import type { FileCalls } from '../../native/platform.js';
import { poolTurn } from '../../node/clock.js';
import { fs } from '../../node/modules.js';
import { isNodesOwn } from '../../node/own-source.js';
import { setDescriptor } from '../../node/patch/streams.js';
import type { FileReadStream } from '../../node/streams.js';
import { recentPaths } from '../recent-paths.js';
import { destinationSocket, type EligibilityContext, staysBarred, whyNotSource } from './eligibility.js';
import { closesAtOnce, isOpenedAtOnce, opensAtOnce, type Source } from './source.js';

type Construct = FileReadStream['_construct'];
type Destroy = FileReadStream['_destroy'];
type Callback = (error?: Error | null) => void;

/** What opening and closing need to know. */
export interface DescriptorContext {
  /** Undefined where this system has none. */
  readonly files: () => FileCalls | undefined;
  readonly eligibility: EligibilityContext;
  readonly sourceOf: (stream: FileReadStream) => Source;
}

/** Whether `open` is Node's: none on Node 26, and before that a method that only warns of its deprecation. */
function hasNodesOpen({ open }: FileReadStream): boolean {
  return open === undefined || isNodesOwn(open, 'ReadStream.open');
}

/** Whether a mock of fs would miss what is called in its place. */
function hasNodesCalls(): boolean {
  const { open, openSync } = fs();
  return isNodesOwn(open, 'fs.open') && isNodesOwn(openSync, 'fs.openSync');
}

/** The descriptor of a stream's file, if it can be opened without waiting for anything. */
function openNow(context: DescriptorContext, stream: FileReadStream): number | undefined {
  const { path, mode, fd } = stream;
  const [pipe, second] = stream._readableState.pipes;
  if (typeof path !== 'string' || fd !== null || pipe === undefined || second !== undefined) return undefined;
  if (whyNotSource(stream) !== undefined) return undefined;
  if (staysBarred(destinationSocket(context.eligibility, pipe))) return undefined;
  if (!hasNodesOpen(stream) || !hasNodesCalls()) return undefined;
  const files = context.files();
  if (files === undefined) return undefined;
  const source = context.sourceOf(stream);
  if (recentPaths.get(path)?.isRegular === true) return openAgain(files, source, path, mode);
  return opensAtOnce(files, source, path) ? openByNode(path, fs().constants.O_RDONLY, mode) : undefined;
}

function openByNode(path: string, flags: number, mode: number | undefined): number | undefined {
  try {
    // Node's own call, so that Node knows of the descriptor, and its permission model has its say.
    return fs().openSync(path, flags, mode);
  } catch {
    // Node's own way meets the same error, and reports it.
    return undefined;
  }
}

/** A file that was found a moment ago. Should it be a FIFO by now, O_NONBLOCK keeps open(2) from waiting for its writer. */
function openAgain(files: FileCalls, source: Source, path: string, mode: number | undefined): number | undefined {
  const fd = openByNode(path, fs().constants.O_NONBLOCK, mode);
  if (fd === undefined || isOpenedAtOnce(files, source, fd)) return fd;
  fs().closeSync(fd);
  return undefined;
}

/** What Node does when a file is open (lib/internal/fs/streams.js `_construct`). */
function onOpen(stream: FileReadStream, fd: number, callback: Callback): void {
  setDescriptor(stream, fd);
  callback();
  stream.emit('open', fd);
  stream.emit('ready');
}

/**
 * Opens a small file without the thread pool, where nothing has to be waited for. 'open' is emitted when the pool could have brought
 * it: until then an app may begin to listen.
 */
export function makeConstruct(context: DescriptorContext, original: Construct): Construct {
  return function (this: FileReadStream, callback) {
    const fd = openNow(context, this);
    if (fd === undefined) return original.call(this, callback);
    poolTurn(() => onOpen(this, fd, callback));
  };
}

/** Whether closing waits for nothing: no read of Node's own is under way, and the file system is one that we know. */
function closesNow(stream: FileReadStream, source: Source): boolean {
  if (!closesAtOnce(source) || source.isReadByNode || stream.flags === undefined) return false;
  return isNodesOwn(fs().close, 'fs.close') && isNodesOwn(fs().closeSync, 'fs.closeSync');
}

function close(stream: FileReadStream, fd: number): Error | undefined {
  // As Node does. It tells Node's own code that there is nothing left to close.
  setDescriptor(stream, null);
  try {
    fs().closeSync(fd);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}

/** Regions that are still on their way when a stream closes its file go on with a descriptor of their own. */
export function makeDestroy(knownSource: (stream: FileReadStream) => Source | undefined, original: Destroy): Destroy {
  return function (this: FileReadStream, error, callback) {
    const source = knownSource(this);
    const descriptor = source?.file?.descriptor;
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
