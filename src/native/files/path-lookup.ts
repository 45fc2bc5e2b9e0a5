import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';

/** The same number on every architecture (include/uapi/asm-generic/unistd.h); kernel 5.6. */
const SYS_OPENAT2 = 437;

/** include/uapi/linux/openat2.h; kernel 5.12. Only what the dentry cache knows is found, the rest is EAGAIN. */
const RESOLVE_CACHED = 0x20n;

/** include/uapi/asm-generic/fcntl.h */
const AT_FDCWD = -100;
const O_PATH = 0o10000000n;
const O_CLOEXEC = 0o2000000n;

/** `struct open_how`: flags, mode, resolve. */
const OPEN_HOW_BYTES = 24;

/**
 * What a path names, as far as the kernel can tell without waiting for a disk, a network or another process. O_PATH opens
 * nothing: a FIFO's writer or a device's driver does not notice.
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
