import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';

/** The same number on every architecture (include/uapi/asm-generic/unistd.h); kernel 6.5. */
const SYS_CACHESTAT = 451;

/** preadv2(2): answer EAGAIN instead of waiting for a disk. */
const RWF_NOWAIT = 0x8;

/** Distance of the probes where cachestat is not allowed: the kernel reads files ahead in pieces of this size or more. */
const PROBE_STRIDE = 64 << 10;

/** Below this, a window that is only partly resident is not worth halving further. */
const LEAST_WINDOW = 64 << 10;

type Residency = (fd: number, position: number, count: number) => number;

/** Halve a range until it is resident: the pages that are missing are nearly always those at the end, not read ahead yet. */
function residentPrefix(isResident: (fd: number, position: number, count: number) => boolean): Residency {
  return (fd, position, count) => {
    for (let tried = count; ; tried = Math.floor(tried / 2)) {
      if (isResident(fd, position, tried)) return tried;
      if (tried <= LEAST_WINDOW) return 0;
    }
  };
}

/** cachestat(2): exact, and one call a range; EPERM for files that the user neither owns nor may write. */
function byCachestat(
  libc: Libc,
  pageSize: number,
): (fd: number, position: number, count: number) => boolean | undefined {
  const syscall = libc.bind<
    (n: number, fd: number, range: BigUint64Array, out: BigUint64Array, flags: number) => number
  >('long syscall(long n, int fd, void *range, void *out, unsigned int flags)');
  const range = new BigUint64Array(2);
  const found = new BigUint64Array(5);
  return (fd, position, count) => {
    range[0] = BigInt(position);
    range[1] = BigInt(count);
    if (syscall(SYS_CACHESTAT, fd, range, found, 0) !== 0) return undefined;
    const pages = Math.ceil((position + count) / pageSize) - Math.floor(position / pageSize);
    return Number(found[0]) >= pages;
  };
}

type ReadNow = (fd: number, position: number, count: number) => number;

/** preadv2(RWF_NOWAIT) into a buffer: every user may ask, and it tells the truth where mincore(2) does not. */
export function nowReader(libc: Libc, buffer: Buffer, offset = 0): ReadNow {
  const preadv2 = libc.bind<(fd: number, parts: BigUint64Array, n: number, position: number, flags: number) => number>(
    'long preadv2(int fd, void *parts, int n, int64_t position, int flags)',
  );
  const parts = BigUint64Array.of(libc.address(buffer) + BigInt(offset), 0n);
  return (fd, position, count) => {
    // The kernel writes to the Buffer by its address alone: it must be referred to, or it is freed under the call.
    parts[1] = BigInt(Math.min(count, buffer.length - offset));
    for (;;) {
      const bytes = preadv2(fd, parts, 1, position, RWF_NOWAIT);
      if (bytes >= 0 || libc.errno() !== ERRNO.EINTR) return bytes;
    }
  };
}

/**
 * How much of a file, from a position on, is in the page cache. Where the kernel does not say, nothing counts as resident:
 * then files are read in the thread pool as ever.
 */
export function residencyCall(libc: Libc): Residency {
  // getpagesize(2): arm64 kernels have pages of 4, 16 or 64 KB, and cachestat counts those.
  const pageSize = libc.bind<() => number>('int getpagesize()')();
  const cachestat = byCachestat(libc, pageSize);
  const probe = nowReader(libc, Buffer.allocUnsafeSlow(1));
  const isThere = (fd: number, position: number): boolean => probe(fd, position, 1) > 0;
  return residentPrefix((fd, position, count) => {
    const last = position + count - 1;
    // cachestat counts pages whose reading is still under way; the last to arrive are those at the ends.
    if (!isThere(fd, position) || !isThere(fd, last)) return false;
    const isCached = cachestat(fd, position, count);
    if (isCached !== undefined) return isCached;
    for (let at = position + PROBE_STRIDE; at < last; at += PROBE_STRIDE) if (!isThere(fd, at)) return false;
    return true;
  });
}
