import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { FileCalls, FileStatus } from '../platform.js';
import { mappedResidency, UNTOLD } from './mapped-pages.js';

/** cachestat(2), since kernel 6.5. The number is equal on every architecture: include/uapi/asm-generic/unistd.h. */
const SYS_CACHESTAT = 451;

/** Flag of preadv2(2): EAGAIN instead of a wait for the disk. */
const RWF_NOWAIT = 0x8;

/** Distance of the probes where cachestat is not allowed. The kernel reads ahead in pieces of this size or more. */
const PROBE_STRIDE = 64 << 10;

/** Smallest window that is worth halving. */
const LEAST_WINDOW = 64 << 10;

/** Flags of a read that may wait. */
const NO_FLAGS = 0;

type Residency = FileCalls['resident'];

/** Halve a range until it is resident. Missing pages are nearly always at the end, where read-ahead has not arrived. */
function residentPrefix(isResident: (fd: number, position: number, count: number) => boolean): Residency {
  return (fd, position, count) => {
    for (let tried = count; ; tried = Math.floor(tried / 2)) {
      if (isResident(fd, position, tried)) return tried;
      if (tried <= LEAST_WINDOW) return 0;
    }
  };
}

/** One exact call a range. Undefined on any error: EPERM for a file that the user neither owns nor may write, ENOSYS before 6.5. */
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

type Preadv2 = (fd: number, parts: BigUint64Array, n: number, position: number, flags: number) => number;

function bindPreadv2(libc: Libc): Preadv2 {
  return libc.bind<Preadv2>('long preadv2(int fd, void *parts, int n, int64_t position, int flags)');
}

/** lseek(2). */
const SEEK_CUR = 1;

/** Position of a read where the descriptor stands. */
const CURRENT = -1;

/**
 * preadv2(2) with RWF_NOWAIT into any buffer. Errors as of {@link nowReader}, negated.
 *
 * Linux 5.9 and 5.10 answer 0 for what is not in the page cache, too (readv(2), BUGS). An app would take that for the end of its file. So
 * 0 counts only where the file's size says the same. On any kernel that is one statx(2) at the end of a file.
 */
export function readNowCall(
  libc: Libc,
  status: Pick<FileCalls, 'cachedStatus' | 'isOnKnownFilesystem'>,
): FileCalls['readNow'] {
  const preadv2 = bindPreadv2(libc);
  const lseek = libc.bind<(fd: number, offset: number, whence: number) => number>(
    'int64_t lseek(int fd, int64_t offset, int whence)',
  );
  // statfs(2) may wait for a server, and nobody has asked it of these files.
  const mapped = mappedResidency(libc, status, (_fd, of) => status.isOnKnownFilesystem(of));
  const parts = new BigUint64Array(2);
  const found: FileStatus = { regular: false, size: 0, inode: 0, deviceMajor: 0, deviceMinor: 0, mount: 0 };
  const place = (fd: number, position: number): number => (position === CURRENT ? lseek(fd, 0, SEEK_CUR) : position);
  const isAtEnd = (fd: number, position: number): boolean =>
    status.cachedStatus(fd, found) && place(fd, position) >= found.size;
  const read = (fd: number, count: number, position: number, flags: number): number => {
    parts[1] = BigInt(count);
    for (;;) {
      const bytes = preadv2(fd, parts, 1, position, flags);
      if (bytes > 0) return bytes;
      if (bytes === 0) return isAtEnd(fd, position) ? 0 : -ERRNO.EAGAIN;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return -errno;
    }
  };
  return (fd, buffer, offset, count, position) => {
    // The kernel has only an address. Our caller keeps the garbage collector from freeing the buffer during the call.
    parts[0] = libc.address(buffer) + BigInt(offset);
    const bytes = read(fd, count, position, RWF_NOWAIT);
    if (bytes !== -ERRNO.EOPNOTSUPP) return bytes;
    const resident = mapped(fd, place(fd, position), count);
    if (resident === UNTOLD) return bytes;
    if (resident > 0) return read(fd, resident, position, NO_FLAGS);
    return isAtEnd(fd, position) ? 0 : -ERRNO.EAGAIN;
  };
}

/**
 * preadv2(2) into a buffer. With RWF_NOWAIT every user may call it, and it is right where mincore(2) is not. Negative on an error: EAGAIN
 * (not in the page cache), EBADF, EOPNOTSUPP (a file system without RWF_NOWAIT).
 */
function reader(libc: Libc, preadv2: Preadv2, buffer: Buffer, offset: number, flags: number): ReadNow {
  const parts = BigUint64Array.of(libc.address(buffer) + BigInt(offset), 0n);
  return (fd, position, count) => {
    // The kernel has only an address. This use of the Buffer keeps the garbage collector from freeing it during the call.
    parts[1] = BigInt(Math.min(count, buffer.length - offset));
    for (;;) {
      const bytes = preadv2(fd, parts, 1, position, flags);
      if (bytes >= 0 || libc.errno() !== ERRNO.EINTR) return bytes;
    }
  };
}

type StatusCalls = Pick<FileCalls, 'cachedStatus' | 'hasKnownFilesystem'>;

/** Reads a piece of a file into a buffer, all or nothing, if it is in the page cache. */
type WholeRead = (fd: number, position: number, count: number) => boolean;

/**
 * Reads of whole pieces.
 *
 * @returns what makes the read into one buffer, from an offset on
 */
export function wholeReader(libc: Libc, status: StatusCalls, offset: number): (buffer: Buffer) => WholeRead {
  const preadv2 = bindPreadv2(libc);
  const mapped = mappedResidency(libc, status, status.hasKnownFilesystem);
  return (buffer) => {
    const now = reader(libc, preadv2, buffer, offset, RWF_NOWAIT);
    const plain = reader(libc, preadv2, buffer, offset, NO_FLAGS);
    return (fd, position, count) => {
      const bytes = now(fd, position, count);
      if (bytes >= 0 || libc.errno() !== ERRNO.EOPNOTSUPP) return bytes === count;
      return mapped(fd, position, count) === count && plain(fd, position, count) === count;
    };
  };
}

/**
 * Bytes of a file in the page cache, from a position on. Without an answer from the kernel Node's thread pool reads the file.
 */
export function residencyCall(libc: Libc, status: StatusCalls): Residency {
  // getpagesize(2): cachestat counts pages, and those of arm64 kernels are 4, 16 or 64 KB.
  const pageSize = libc.bind<() => number>('int getpagesize()')();
  const cachestat = byCachestat(libc, pageSize);
  const probe = reader(libc, bindPreadv2(libc), Buffer.allocUnsafeSlow(1), 0, RWF_NOWAIT);
  const isThere = (fd: number, position: number): boolean => probe(fd, position, 1) > 0;
  const mapped = mappedResidency(libc, status, status.hasKnownFilesystem);
  const prefix = residentPrefix((fd, position, count) => {
    const last = position + count - 1;
    // cachestat counts pages that are still being read. Those at both ends arrive last.
    if (!isThere(fd, last)) return false;
    const isCached = cachestat(fd, position, count);
    if (isCached !== undefined) return isCached;
    for (let at = position + PROBE_STRIDE; at < last; at += PROBE_STRIDE) if (!isThere(fd, at)) return false;
    return true;
  });
  return (fd, position, count) => {
    const first = probe(fd, position, 1);
    if (first > 0) return prefix(fd, position, count);
    return first < 0 && libc.errno() === ERRNO.EOPNOTSUPP ? mapped(fd, position, count) : 0;
  };
}
