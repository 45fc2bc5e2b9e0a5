import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';
import { nowReader } from './residency.js';

/** Room before a file's bytes for what goes ahead of them. */
const LEAD = 16 << 10;

/** Room for a file's bytes: as many as fs.ReadStream reads at a time. */
const FILE_ROOM = 64 << 10;

/** Small files that are on their way at the same time without a copy in between: requests come in bursts. */
const SLOTS = 16;

/**
 * A few buffers for all small files: what is sent is copied into the kernel, and the buffer has the next one. So sending allocates
 * nothing, and what goes ahead of a file is sent by the same call.
 */
export function stagingCalls(libc: Libc): Pick<FileCalls, 'staging' | 'stage'> {
  // Zeros, and not whatever was in that memory, are the worst that a fault of ours could send.
  const buffers = Array.from({ length: SLOTS }, () => Buffer.alloc(LEAD + FILE_ROOM));
  const readers = buffers.map((buffer) => nowReader(libc, buffer, LEAD));
  return {
    staging: { buffers, lead: LEAD, room: FILE_ROOM },
    stage: (fd, position, count, slot) => count <= FILE_ROOM && readers[slot]?.(fd, position, count) === count,
  };
}
