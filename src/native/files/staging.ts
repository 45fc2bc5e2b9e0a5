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
 * nothing. The head and the file leave in one call. Each is made when it is first needed: V8 collects its whole heap sooner, the more a process
 * holds outside of it.
 */
export function stagingCalls(
  libc: Libc,
  status: Pick<FileCalls, 'cachedStatus' | 'hasKnownFilesystem'>,
): Pick<FileCalls, 'staging' | 'stage'> {
  const readerOf = wholeReader(libc, status, LEAD);
  const buffers: Buffer[] = [];
  const reads: ReturnType<typeof readerOf>[] = [];
  const readOf = (slot: number): (typeof reads)[0] => {
    // Filled with zeros, so no bug of ours can send old memory.
    const buffer = Buffer.alloc(LEAD + FILE_ROOM);
    buffers[slot] = buffer;
    return readerOf(buffer);
  };
  return {
    staging: { buffers, most: SLOTS, lead: LEAD, room: FILE_ROOM },
    stage(fd, position, count, slot) {
      if (count > FILE_ROOM) return false;
      reads[slot] ??= readOf(slot);
      return reads[slot](fd, position, count);
    },
  };
}
