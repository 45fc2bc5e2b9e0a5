import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';

/** openat2(2), since kernel 5.6. The number is equal on every architecture: include/uapi/asm-generic/unistd.h. */
const SYS_OPENAT2 = 437;

/** Use the dentry cache alone, and answer EAGAIN for the rest: include/uapi/linux/openat2.h, since kernel 5.12. */
const RESOLVE_CACHED = 0x20n;

/** include/uapi/asm-generic/fcntl.h */
const AT_FDCWD = -100;
const O_PATH = 0o10000000n;
const O_CLOEXEC = 0o2000000n;

/** Two numbers: include/uapi/asm-generic/fcntl.h, and arch/{arm64,powerpc}/include/uapi/asm/fcntl.h. */
const O_NOFOLLOW = process.arch === 'arm64' || process.arch === 'ppc64' ? 0o100000n : 0o400000n;

/** `struct open_how`: flags, mode, resolve. */
const OPEN_HOW_BYTES = 24;

/**
 * openat2(2) of a path, without waiting for a disk, a network or another process. O_PATH opens nothing, so a FIFO's writer and a
 * device's driver notice nothing. Errors: EAGAIN (not cached), ENOENT, ENOTDIR, ELOOP, EACCES, EMFILE, ENOSYS before kernel 5.6.
 */
export function pathLookupCalls(
  libc: Libc,
  { cachedStatus, close }: Pick<FileCalls, 'cachedStatus' | 'close'>,
): Pick<FileCalls, 'find' | 'lookUp'> {
  const openat2 = libc.bind<(n: number, directory: number, path: string, how: BigUint64Array, size: number) => number>(
    'long syscall(long n, int directory, const char *path, void *how, size_t size)',
  );
  const following = BigUint64Array.of(O_PATH | O_CLOEXEC, 0n, RESOLVE_CACHED);
  const notFollowing = BigUint64Array.of(O_PATH | O_CLOEXEC | O_NOFOLLOW, 0n, RESOLVE_CACHED);
  const find: FileCalls['find'] = (path, followsLink) => {
    const fd = openat2(SYS_OPENAT2, AT_FDCWD, path, followsLink ? following : notFollowing, OPEN_HOW_BYTES);
    return fd < 0 ? -libc.errno() : fd;
  };
  return {
    find,
    lookUp(path, status) {
      const fd = find(path, true);
      if (fd < 0) return false;
      const isKnown = cachedStatus(fd, status);
      close(fd);
      return isKnown;
    },
  };
}
