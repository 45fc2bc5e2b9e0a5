import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';
import { wholeReader } from './residency.js';

/** Bytes before those of the file, for a response head or the size of a chunk. */
const LEAD = 16 << 10;

/** Bytes for the file: as many as fs.ReadStream reads at a time. */
const FILE_ROOM = 64 << 10;

/** Small files in flight at the same time without a further copy; requests come in bursts. */
const SLOTS = 16;

/**
 * A few buffers for all small files. send(2) copies a buffer into the kernel, so it is free for the next file at once: sending allocates
 * nothing. The head and the file leave in one call.
 */
export function stagingCalls(
  libc: Libc,
  status: Pick<FileCalls, 'cachedStatus' | 'hasKnownFilesystem'>,
): Pick<FileCalls, 'staging' | 'stage'> {
  // Filled with zeros, so no bug of ours can send old memory.
  const buffers = Array.from({ length: SLOTS }, () => Buffer.alloc(LEAD + FILE_ROOM));
  const read = wholeReader(libc, status, buffers, LEAD);
  return {
    staging: { buffers, lead: LEAD, room: FILE_ROOM },
    stage: (fd, position, count, slot) => count <= FILE_ROOM && read(fd, position, count, slot),
  };
}
