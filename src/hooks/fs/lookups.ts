import type { InlineAnswer } from '../../node/patch/fs-binding.js';
import { type FsContext, knownFields, knownStatus, lookAtPath } from './cached-files.js';
import { fitsTurn } from './turn-budget.js';

type Args = ArrayLike<unknown>;

/** stat and lstat: path, bigint, request, and since Node 24 throwIfNoEntry. */
export function answerStat(
  context: FsContext,
  syscall: 'stat' | 'lstat',
  { 0: path, 1: isBigint, 3: throwIfNoEntry }: Args,
): InlineAnswer | undefined {
  if (typeof path !== 'string' || isBigint !== false || throwIfNoEntry === false || !fitsTurn()) return undefined;
  return lookAtPath(context, syscall, path, syscall === 'stat', (files, fd) => {
    const value = knownFields(context, files, fd);
    return value && { value };
  });
}

/** F_OK of access(2). */
const EXISTS = 0;

/** Where the two differ, access(2) resolves the path with the rights of another user than we do. */
function hasOneUser(): boolean {
  return process.getuid?.() === process.geteuid?.();
}

/** access: path, mode, request. */
export function answerAccess(context: FsContext, { 0: path, 1: mode }: Args): InlineAnswer | undefined {
  if (typeof path !== 'string' || typeof mode !== 'number' || !hasOneUser() || !fitsTurn()) return undefined;
  return lookAtPath(context, 'access', path, true, (files, fd) => {
    if (mode === EXISTS) return {};
    if (knownStatus(context, files, fd) === undefined) return undefined;
    try {
      context.node.access(path, mode);
      return {};
    } catch {
      // Node's own way meets the same error, and reports it.
      return undefined;
    }
  });
}

/** d_path() of the kernel ends so where a file has lost its name. */
const NAMELESS = ' (deleted)';

/** realpath: path, encoding, request. The kernel tells the path of a descriptor as it has resolved it. */
export function answerRealpath(context: FsContext, { 0: path, 1: encoding }: Args): InlineAnswer | undefined {
  if (typeof path !== 'string' || encoding !== 'utf8' || !fitsTurn()) return undefined;
  return lookAtPath(context, 'realpath', path, true, (_files, fd) => {
    const value = context.node.readlink(`/proc/self/fd/${fd}`, encoding);
    return value.startsWith('/') && !value.endsWith(NAMELESS) ? { value } : undefined;
  });
}
