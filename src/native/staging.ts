import type { Libc } from './libc.js';
import type { FileCalls } from './platform.js';
import { nowReader } from './residency.js';

/** Room before a file's bytes for what goes ahead of them. */
const LEAD = 16 << 10;

/** Room for a file's bytes: as many as fs.ReadStream reads at a time. */
const ROOM = 64 << 10;

/**
 * One buffer for all small files: what is sent is copied into the kernel before the next one comes. So sending allocates
 * nothing, and what goes ahead of a file is sent by the same call.
 */
export function staging(libc: Libc): Pick<FileCalls, 'staging' | 'stage'> {
  // Zeros, and not whatever was in that memory, are the worst that a fault of ours could send.
  const buffer = Buffer.alloc(LEAD + ROOM);
  const read = nowReader(libc, buffer, LEAD);
  return {
    staging: { buffer, lead: LEAD, room: ROOM },
    stage: (fd, position, count) => count <= ROOM && read(fd, position, count) === count,
  };
}
