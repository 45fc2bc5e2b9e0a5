import type { FileCalls, FileStatus } from '../../native/platform.js';
import { fs } from '../../node/modules.js';
import type { Reason } from './eligibility.js';

export function newStatus(): FileStatus {
  return { regular: false, size: 0, inode: 0, deviceMajor: 0, deviceMinor: 0, mount: 0 };
}

/**
 * Why sendfile cannot send the bytes of a descriptor with this status, if so. Node's own view of the file is compared with the
 * kernel's: where `fs` is mocked, the number of a descriptor says nothing, or is another file's.
 *
 * @param known inode that the path had for the kernel when Node opened it. If the file has it, there is nothing to compare.
 */
export function whyNotFile(files: FileCalls, fd: number, of: FileStatus, known?: number): Reason | undefined {
  if (!of.regular) return 'not-a-regular-file';
  if (of.size === 0) return 'empty-file';
  if (of.inode !== known && !isSameFileToNode(fd, of.inode)) return 'patched-fs';
  return files.hasKnownFilesystem(fd, of) ? undefined : 'unknown-filesystem';
}

function isSameFileToNode(fd: number, inode: number): boolean {
  try {
    return fs().fstatSync(fd).ino === inode;
  } catch {
    // A mocked fs without such a descriptor. If it really is closed, Node's own read says so.
    return false;
  }
}
