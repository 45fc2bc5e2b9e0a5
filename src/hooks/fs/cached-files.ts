import { ERRNO } from '../../native/errno.js';
import type { FileCalls, FileStatus } from '../../native/platform.js';
import type { FsBinding } from '../../node/bindings.js';
import { newStatus } from '../files/sendable-file.js';
import type { RecentPaths } from '../recent-paths.js';
import type { Answer } from './answer.js';
import { isOnKnownPlace } from './known-place.js';
import { noSuchFile } from './no-such-file.js';

/** Node's own functions, without a request: they are synchronous, and throw. */
export interface SynchronousCalls {
  access(path: string, mode: number): void;
  /** The fields are overwritten by the next call; undefined if there is no such file. */
  stat(path: string): Float64Array | undefined;
  lstat(path: string): Float64Array | undefined;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  readlink(path: string, encoding: string): string;
}

/** What all calls here need. */
export interface FsContext {
  readonly binding: FsBinding;
  readonly node: SynchronousCalls;
  readonly files: FileCalls;
}

/** With the flag u, a pair is one character and does not match. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * Look at what a path names, if the kernel knows it without waiting for anything.
 *
 * @param syscall as Node names it in an error
 * @param look is given an O_PATH descriptor, which is closed afterwards
 * @returns what `look` does, or the error if the kernel knows that there is no such file
 */
export function lookAtPath<A extends Answer>(
  { files }: FsContext,
  syscall: string,
  path: string,
  followsLink: boolean,
  look: (fd: number) => A,
): A | Answer {
  // Half a character: Node and koffi would each make other bytes of it.
  if (LONE_SURROGATE.test(path)) return 'other-arguments';
  const fd = files.find(path, followsLink);
  if (fd === -ERRNO.ENOENT) {
    const error = noSuchFile(syscall, path);
    return error === undefined ? 'error' : { error };
  }
  if (fd < 0) return fd === -ERRNO.EAGAIN ? 'not-cached' : 'error';
  try {
    return look(fd);
  } finally {
    files.close(fd);
  }
}

/** Filled anew at each look, which allocates nothing. */
const status: FileStatus = newStatus();

/** The status of an open file, if it is on a file system that we know. The next call fills the same object. */
export function knownStatus({ binding, files }: FsContext, fd: number): FileStatus | undefined {
  return files.cachedStatus(fd, status) && isOnKnownPlace(files, binding, fd, status) ? status : undefined;
}

/** Fields of Node's Stats (src/node_file.h `FsStatsOffset`): an asynchronous call brings so many. */
export const FIELDS = 18;
export const DEVICE = 0;

/** The fields of an open file's Stats, if it is on a file system that we know. */
export function knownFields({ binding, files }: FsContext, fd: number): Float64Array | undefined {
  const fields = new Float64Array(FIELDS);
  return files.cachedFields(fd, status, fields) && isOnKnownPlace(files, binding, fd, status) ? fields : undefined;
}

/** The same of what a path names, which is noted. */
export function knownFieldsOf(
  context: FsContext,
  recent: RecentPaths,
  path: string,
  fd: number,
): Float64Array | undefined {
  const fields = knownFields(context, fd);
  if (fields !== undefined) recent.note(path, { device: fields[DEVICE], isRegular: status.regular });
  return fields;
}
