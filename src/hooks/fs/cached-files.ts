import { ERRNO } from '../../native/errno.js';
import type { FileCalls, FileStatus } from '../../native/platform.js';
import type { FsBinding } from '../../node/fs-binding.js';
import type { InlineAnswer } from '../../node/patch/fs-binding.js';
import { newStatus } from '../files/sendable-file.js';
import { isOnKnownPlace } from './known-place.js';
import { noSuchFile } from './no-such-file.js';

/** Node's own functions, without a request: they are synchronous. */
export interface SynchronousCalls {
  access(path: string, mode: number): void;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  readlink(path: string, encoding: string): string;
}

/** What all calls here need. */
export interface FsContext {
  readonly binding: FsBinding;
  readonly node: SynchronousCalls;
  /** Undefined where this system has none. Asked at the first call. */
  readonly files: () => FileCalls | undefined;
}

/** Filled anew at each look, which allocates nothing. */
const status: FileStatus = newStatus();

/**
 * Look at what a path names, if the kernel knows it without waiting for anything.
 *
 * @param look is given an O_PATH descriptor, which is closed afterwards
 * @returns what `look` does; an error if the kernel knows that there is no such file; undefined if it does not know
 */
export function lookAtPath(
  { files: filesOf }: FsContext,
  syscall: string,
  path: string,
  followsLink: boolean,
  look: (files: FileCalls, fd: number) => InlineAnswer | undefined,
): InlineAnswer | undefined {
  const files = filesOf();
  if (files === undefined) return undefined;
  const fd = files.find(path, followsLink);
  if (fd < 0) return fd === -ERRNO.ENOENT ? { error: noSuchFile(syscall, path) } : undefined;
  try {
    return look(files, fd);
  } finally {
    files.close(fd);
  }
}

/** The status of an open file, if it is on a file system that we know. The next call fills the same object. */
export function knownStatus({ binding }: FsContext, files: FileCalls, fd: number): FileStatus | undefined {
  return files.cachedStatus(fd, status) && isOnKnownPlace(files, binding, fd, status) ? status : undefined;
}

/** Fields of Node's Stats (src/node_file.h `FsStatsFields`); an asynchronous call brings so many. */
const FIELDS = 18;

/** The fields of an open file's Stats, if it is on a file system that we know. */
export function knownFields({ binding }: FsContext, files: FileCalls, fd: number): Float64Array | undefined {
  const fields = new Float64Array(FIELDS);
  return files.cachedFields(fd, status, fields) && isOnKnownPlace(files, binding, fd, status) ? fields : undefined;
}
