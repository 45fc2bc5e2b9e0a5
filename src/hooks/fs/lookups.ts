import { now } from '../../node/clock.js';
import { RecentPaths, recentPaths } from '../recent-paths.js';
import { fitsTurn } from '../turn-budget.js';
import type { Answer } from './answer.js';
import { DEVICE, FIELDS, type FsContext, knownFieldsOf, knownStatus, lookAtPath } from './cached-files.js';

type Args = ArrayLike<unknown>;

/** stat and lstat: path, bigint, request, and since Node 24 throwIfNoEntry. */
export function answerStat(
  context: FsContext,
  syscall: 'stat' | 'lstat',
  { 0: path, 1: isBigint, 3: throwIfNoEntry }: Args,
): Answer {
  if (typeof path !== 'string' || isBigint === true || throwIfNoEntry === false) return 'other-arguments';
  if (!fitsTurn()) return 'turn-is-full';
  const recent = syscall === 'stat' ? recentPaths : recentLinks;
  const again = statAgain(context, syscall, path, recent);
  if (again !== undefined) return again;
  return lookAtPath(context, syscall, path, syscall === 'stat', (fd) => {
    const value = knownFieldsOf(context, recent, path, fd);
    return value === undefined ? 'unknown-filesystem' : { value };
  });
}

/** Paths as lstat(2) resolves them: to the last link. */
const recentLinks = new RecentPaths();

/** The same of a path that was found a moment ago: by one call, and not by three. */
function statAgain(
  { node }: FsContext,
  syscall: 'stat' | 'lstat',
  path: string,
  recent: RecentPaths,
): Answer | undefined {
  const known = recent.get(path);
  if (known?.device === undefined) return undefined;
  try {
    const fields = node[syscall](path);
    // Gone, or another file system is mounted there: all is asked anew.
    if (fields === undefined || fields[DEVICE] !== known.device) recent.forget(path);
    else {
      known.foundAt = now();
      return { value: fields.slice(0, FIELDS) };
    }
  } catch {
    recent.forget(path);
  }
  return undefined;
}

/** F_OK of access(2), and all three rights. What is no combination of them Node refuses. */
const EXISTS = 0;
const ALL_RIGHTS = 7;

function isMode(mode: unknown): mode is number {
  return Number.isInteger(mode) && Number(mode) >= EXISTS && Number(mode) <= ALL_RIGHTS;
}

/** Where two of them differ, access(2) resolves the path with the rights of another user or group than openat2(2). */
function hasOneUser(): boolean {
  return process.getuid?.() === process.geteuid?.() && process.getgid?.() === process.getegid?.();
}

/** access: path, mode, request. */
export function answerAccess(context: FsContext, { 0: path, 1: mode }: Args): Answer {
  if (typeof path !== 'string' || !isMode(mode) || !hasOneUser()) return 'other-arguments';
  if (!fitsTurn()) return 'turn-is-full';
  return lookAtPath(context, 'access', path, true, (fd) => {
    if (knownStatus(context, fd) === undefined) return 'unknown-filesystem';
    try {
      // For F_OK too: without root's rights, access(2) resolves the path without the capabilities that openat2(2) has.
      context.node.access(path, mode);
      return {};
    } catch {
      return 'error';
    }
  });
}

/** Node's encoding of a path where none is asked for. */
const UTF8 = 'utf8';

/** The kernel's d_path() ends so where a file has lost its name. */
const NAMELESS = ' (deleted)';

/** Undefined where /proc is not mounted, as in a chroot, and where the path is longer than PATH_MAX. */
function resolvedPath({ node }: FsContext, fd: number): string | undefined {
  try {
    return node.readlink(`/proc/self/fd/${fd}`, UTF8);
  } catch {
    return undefined;
  }
}

/** realpath: path, encoding, request. The kernel tells the path of a descriptor as it has resolved it. */
export function answerRealpath(context: FsContext, { 0: path, 1: encoding }: Args): Answer {
  if (typeof path !== 'string' || (encoding !== undefined && encoding !== UTF8)) return 'other-arguments';
  if (!fitsTurn()) return 'turn-is-full';
  return lookAtPath(context, 'realpath', path, true, (fd) => {
    const value = resolvedPath(context, fd);
    return value?.startsWith('/') && !value.endsWith(NAMELESS) ? { value } : 'error';
  });
}
