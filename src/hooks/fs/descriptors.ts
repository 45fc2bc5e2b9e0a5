import type { InlineAnswer } from '../../node/patch/fs-binding.js';
import { type FsContext, knownFields, knownStatus, lookAtPath } from './cached-files.js';
import { fitsTurn } from './turn-budget.js';

type Args = ArrayLike<unknown>;

/**
 * Open a regular file for reading.
 *
 * @param syscall as Node names it in errors
 */
export function openInline(context: FsContext, syscall: string, path: string, mode: number): InlineAnswer | undefined {
  return lookAtPath(context, syscall, path, true, (files, found) => {
    if (knownStatus(context, files, found)?.regular !== true) return undefined;
    try {
      // Node's own call, so that Node knows of the descriptor.
      return { value: context.node.open(path, 0, mode) };
    } catch {
      // Node's own way meets the same error, and reports it.
      return undefined;
    }
  });
}

/** open and openFileHandle: path, flags, mode, request. */
export function answerOpen(
  context: FsContext,
  { 0: path, 1: flags, 2: mode }: Args,
  wrap: (fd: number) => unknown = (fd) => fd,
): InlineAnswer | undefined {
  if (typeof path !== 'string' || flags !== 0 || typeof mode !== 'number' || !fitsTurn()) return undefined;
  const answer = openInline(context, 'open', path, mode);
  if (typeof answer?.value !== 'number') return answer;
  return { value: wrap(answer.value) };
}

/** fstat: fd, bigint, request. */
export function answerFstat(context: FsContext, { 0: fd, 1: isBigint }: Args): InlineAnswer | undefined {
  const files = context.files();
  if (files === undefined || typeof fd !== 'number' || isBigint !== false || !fitsTurn()) return undefined;
  const value = knownFields(context, files, fd);
  return value && { value };
}

/** A file that was deleted loses its blocks when it is closed; for one of this size that is little work. */
const LITTLE = 1 << 20;

/** Whether closing a descriptor waits for nothing: the file was only read, and is not a large one that this may free. */
export function mayCloseInline(context: FsContext, fd: number): boolean {
  const files = context.files();
  if (files === undefined || !fitsTurn()) return false;
  const status = knownStatus(context, files, fd);
  return status?.regular === true && status.size <= LITTLE && files.isReadOnly(fd);
}

/** close: fd, request. */
export function answerClose(context: FsContext, { 0: fd }: Args): InlineAnswer | undefined {
  if (typeof fd !== 'number' || !mayCloseInline(context, fd)) return undefined;
  try {
    context.node.close(fd);
    return {};
  } catch (error) {
    // The descriptor is gone all the same; close(2) must not be called again.
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}
