import type { FileCalls, FileStatus } from '../../native/platform.js';
import type { FsBinding } from '../../node/bindings.js';

/** File systems that were asked about: each is once. */
const asked = new Set<string>();

/**
 * Ask what kind of file system a file is on. Its kind tells whether a call on it may wait for a network or another process. statfs(2)
 * may wait for them itself, so it is asked in the thread pool.
 */
function ask(files: FileCalls, { FSReqCallback, statfs }: FsBinding, fd: number, status: FileStatus): void {
  const place = `${status.mount} ${status.deviceMajor} ${status.deviceMinor}`;
  if (asked.has(place)) return;
  asked.add(place);
  const held = files.duplicate(fd);
  if (held < 0) return;
  const of = { ...status };
  const request = Object.assign(new FSReqCallback(false), {
    oncomplete(error: unknown, fields: unknown): void {
      files.close(held);
      if (error === null && fields instanceof Float64Array) files.noteFilesystem(of, fields[0] ?? 0);
    },
  });
  statfs(`/proc/self/fd/${held}`, false, request);
}

/** Whether calls on a file wait for its disk alone. No of a file system that is not known yet, which then is asked. */
export function isOnKnownPlace(files: FileCalls, binding: FsBinding, fd: number, status: FileStatus): boolean {
  if (files.isOnKnownFilesystem(status)) return true;
  ask(files, binding, fd, status);
  return false;
}
