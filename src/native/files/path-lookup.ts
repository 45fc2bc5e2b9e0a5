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

/** `struct open_how`: flags, mode, resolve. */
const OPEN_HOW_BYTES = 24;

/**
 * Status of the file at a path, without waiting for a disk, a network or another process. O_PATH opens nothing, so a FIFO's writer
 * and a device's driver notice nothing. Any error means `false`: EAGAIN (not cached), ENOENT, EACCES, ENOSYS before kernel 5.6.
 */
export function pathLookupCall(
  libc: Libc,
  cachedStatus: FileCalls['status'],
  close: FileCalls['close'],
): FileCalls['lookUp'] {
  const openat2 = libc.bind<(n: number, directory: number, path: string, how: BigUint64Array, size: number) => number>(
    'long syscall(long n, int directory, const char *path, void *how, size_t size)',
  );
  const how = BigUint64Array.of(O_PATH | O_CLOEXEC, 0n, RESOLVE_CACHED);
  return (path, of) => {
    const fd = openat2(SYS_OPENAT2, AT_FDCWD, path, how, OPEN_HOW_BYTES);
    if (fd < 0) return false;
    const isKnown = cachedStatus(fd, of);
    close(fd);
    return isKnown;
  };
}
