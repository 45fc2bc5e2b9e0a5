import { asError } from '../../errors.js';
import { fs } from '../../node/modules.js';
import { isUsedByPool } from '../../node/patch/fs-binding.js';
import { INLINE_LIMIT } from '../files/source.js';
import { recentPaths } from '../recent-paths.js';
import { fitsTurn } from '../turn-budget.js';
import { type Answer, isAnswered } from './answer.js';
import { type FsContext, knownFields, knownStatus, lookAtPath } from './cached-files.js';
import { untoldFiles } from './untold-files.js';

type Args = ArrayLike<unknown>;

/** A descriptor, and the size that its file had when it was looked at. */
export interface OpenedFile {
  readonly value: number;
  readonly size: number;
}

/** Worker threads have no process.chdir() (lib/internal/process/worker_thread_only.js). Asking `worker_threads` would load it. */
function isMainThread(): boolean {
  return Reflect.get(process.chdir, 'disabled') !== true;
}

/** Open a regular file for reading. */
export function openFile(context: FsContext, path: string, mode: number): OpenedFile | Answer {
  return openAgain(context, path, mode) ?? lookAndOpen(context, path, mode);
}

/** A file that was found a moment ago. Should it be a FIFO by now, O_NONBLOCK keeps open(2) from waiting for its writer. */
function openAgain(context: FsContext, path: string, mode: number): OpenedFile | undefined {
  const known = recentPaths.get(path);
  if (known?.isRegular !== true) return undefined;
  try {
    const fd = context.node.open(path, fs().constants.O_NONBLOCK, mode);
    const status = knownStatus(context, fd);
    if (status?.regular === true) return { value: fd, size: status.size };
    context.node.close(fd);
  } catch {
    // What is wrong is found out by a look.
  }
  recentPaths.forget(path);
  return undefined;
}

function lookAndOpen(context: FsContext, path: string, mode: number): OpenedFile | Answer {
  return lookAtPath(context, 'open', path, true, (found) => {
    const status = knownStatus(context, found);
    if (status?.regular !== true) return status === undefined ? 'unknown-filesystem' : 'not-a-regular-file';
    try {
      // Node's own call, so that Node knows of the descriptor.
      return { value: context.node.open(path, 0, mode), size: status.size };
    } catch {
      return 'error';
    }
  });
}

/** open and openFileHandle: path, flags, mode, request. */
export function answerOpen(
  context: FsContext,
  { 0: path, 1: flags, 2: mode }: Args,
  wrap: (fd: number) => Answer = (value) => ({ value }),
): Answer {
  if (typeof path !== 'string' || flags !== 0 || typeof mode !== 'number') return 'other-arguments';
  if (!fitsTurn()) return 'turn-is-full';
  const answer = openFile(context, path, mode);
  return isAnswered(answer) && typeof answer.value === 'number' ? wrap(answer.value) : answer;
}

/** fstat: fd, bigint, request. */
export function answerFstat(context: FsContext, { 0: fd, 1: isBigint }: Args): Answer {
  if (typeof fd !== 'number' || isBigint === true) return 'other-arguments';
  if (!fitsTurn()) return 'turn-is-full';
  const value = knownFields(context, fd);
  return value === undefined ? 'unknown-filesystem' : { value };
}

/** Why closing a descriptor may wait: only a file that was read, and that frees little, certainly does not. */
function whyNotClose(context: FsContext, fd: number): Answer | undefined {
  if (!fitsTurn()) return 'turn-is-full';
  const status = knownStatus(context, fd);
  if (status?.regular !== true) return status === undefined ? 'unknown-filesystem' : 'not-a-regular-file';
  if (status.size > INLINE_LIMIT) return 'large-file';
  return context.files.isReadOnly(fd) ? undefined : 'open-for-writing';
}

/**
 * Close the descriptor of a FileHandle, by close(2) itself. In a worker thread Node keeps a list of descriptors that `fs.open` has
 * opened, and closes them at its end. Those of FileHandles are not on it.
 *
 * @param release takes it from the FileHandle
 */
export function closeHandle(context: FsContext, fd: number, release: () => void): Answer {
  const reason = whyNotClose(context, fd);
  if (reason !== undefined) return reason;
  release();
  context.files.close(fd);
  return {};
}

/** Give a FileHandle a descriptor that a worker thread's list of them does not have; see `closeHandle`. */
export function wrapInHandle({ binding, node, files }: FsContext, fd: number): Answer {
  const { FileHandle } = binding;
  if (isMainThread()) return { value: new FileHandle(fd) };
  const unlisted = files.duplicate(fd);
  node.close(fd);
  return unlisted < 0 ? 'error' : { value: new FileHandle(unlisted) };
}

/** Close a descriptor, unless the thread pool reads from it: it might read another file that gets its number. */
function closeFile(context: FsContext, fd: number): Answer {
  if (isUsedByPool(fd)) return 'used-by-pool';
  const reason = whyNotClose(context, fd);
  if (reason !== undefined) return reason;
  try {
    context.node.close(fd);
    return {};
  } catch (error) {
    // The descriptor is gone all the same: close(2) must not be called again.
    return { error: asError(error) };
  }
}

/** close: fd, request. */
export function answerClose(context: FsContext, { 0: fd }: Args): Answer {
  if (typeof fd !== 'number') return 'other-arguments';
  // Its number may be another file's next.
  untoldFiles.forget(fd);
  return closeFile(context, fd);
}
