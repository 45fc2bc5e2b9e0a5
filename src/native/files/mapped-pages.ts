import type { Libc } from '../libc.js';
import type { FileCalls, FileStatus } from '../platform.js';
import { UntoldFiles } from './untold-files.js';

/** include/uapi/asm-generic/mman-common.h */
const PROT_NONE = 0;
const MAP_PRIVATE = 2;
const MAP_FAILED = -1;

/** The bit of a page in mincore(2)'s answer. The others are reserved. */
const PRESENT = 1;

/** Pages of one question. */
const MOST_PAGES = 4096;

/**
 * Pages are cached in folios. A folio starts at a multiple of its own size, and the largest has 512 MiB (a huge page on arm64 with pages of
 * 64 KB). So at a multiple of 1 GiB behind the end of a file, no folio of the file's bytes can lie.
 */
const FARTHEST_FOLIO = 2 ** 30;

/** The kernel does not tell what is in the page cache. */
export const UNTOLD = -1;

type MappedPages = (fd: number, size: number, position: number, count: number) => number;

/**
 * Bytes of a file in the page cache, from a position on, by mmap(2) and mincore(2). A file on overlayfs has its pages in the file
 * below it, which is what mmap(2) maps.
 *
 * Since Linux 5.2 mincore(2) calls every page present where the process neither owns the file nor may write it (mm/mincore.c
 * `can_do_mincore`). So it is asked for a page behind the end as well, which is never there: a yes tells that no answer is true.
 */
function mappedPages(libc: Libc): MappedPages {
  // mlockall(2) of an app would make mmap(2) read the file. It cannot where nobody may touch the pages: PROT_NONE.
  const mmap = libc.bind<(at: null, size: number, access: number, flags: number, fd: number, from: number) => number>(
    'intptr_t mmap(void *at, size_t size, int access, int flags, int fd, int64_t from)',
  );
  const munmap = libc.bind<(at: number, size: number) => number>('int munmap(intptr_t at, size_t size)');
  const mincore = libc.bind<(at: number, size: number, out: Uint8Array) => number>(
    'int mincore(intptr_t at, size_t size, void *out)',
  );
  const pageSize = libc.bind<() => number>('int getpagesize()')();
  const found = new Uint8Array(MOST_PAGES);

  const present = (at: number, pages: number): number | undefined => {
    if (mincore(at, pages * pageSize, found) !== 0) return undefined;
    let page = 0;
    while (page < pages && ((found[page] ?? 0) & PRESENT) !== 0) page++;
    return page;
  };

  return (fd, size, position, count) => {
    const from = Math.floor(position / pageSize) * pageSize;
    const pages = Math.min(Math.ceil((position + count - from) / pageSize), MOST_PAGES);
    const behind = Math.ceil(size / FARTHEST_FOLIO) * FARTHEST_FOLIO - from;
    const at = mmap(null, behind + pageSize, PROT_NONE, MAP_PRIVATE, fd, from);
    // ENOMEM (RLIMIT_AS), EACCES (SELinux), ENODEV (no such file).
    if (at === MAP_FAILED) return UNTOLD;
    const isTrue = present(at + behind, 1) === 0;
    const prefix = isTrue ? present(at, pages) : undefined;
    munmap(at, behind + pageSize);
    if (prefix === undefined) return UNTOLD;
    return Math.max(0, Math.min(from + prefix * pageSize - position, count));
  };
}

/**
 * Bytes of a file in the page cache, where preadv2(2) knows no RWF_NOWAIT: on overlayfs, tmpfs, squashfs, ramfs. {@link UNTOLD} on any
 * doubt. On a file system that is not known, bytes in the page cache may be compared with a server's before they are read (NFS, FUSE).
 */
export function mappedResidency(
  libc: Libc,
  { cachedStatus }: Pick<FileCalls, 'cachedStatus'>,
  isKnown: (fd: number, status: FileStatus) => boolean,
): FileCalls['resident'] {
  const pagesOf = mappedPages(libc);
  const status: FileStatus = { regular: false, size: 0, inode: 0, deviceMajor: 0, deviceMinor: 0, mount: 0 };
  // By inode alone: a file of another mount with the same number is read by Node for as long.
  const untold = new UntoldFiles<number>();
  return (fd, position, count) => {
    if (!cachedStatus(fd, status) || !status.regular || !isKnown(fd, status)) return UNTOLD;
    if (untold.has(status.inode)) return UNTOLD;
    const wanted = Math.min(count, status.size - position);
    if (wanted <= 0) return 0;
    const bytes = pagesOf(fd, status.size, position, wanted);
    if (bytes !== UNTOLD) return bytes;
    untold.note(status.inode);
    return UNTOLD;
  };
}
