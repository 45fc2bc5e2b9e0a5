import { fsyncSync } from 'node:fs';
import { loadLibc } from '../../../src/native/libc.js';

const PAGE = 4096;
const PROT_READ = 1;
const MAP_SHARED = 1;
const POSIX_FADV_RANDOM = 1;
const POSIX_FADV_DONTNEED = 4;

function advise(fd: number, advice: number): void {
  const fadvise = loadLibc().bind<(fd: number, position: number, count: number, advice: number) => number>(
    'int posix_fadvise(int fd, int64_t position, int64_t count, int advice)',
  );
  const errno = fadvise(fd, 0, 0, advice);
  if (errno !== 0) throw new Error(`posix_fadvise failed with errno ${errno}`);
}

/** Removes a file from the page cache, as far as its file system allows, and turns read-ahead off. */
export function evict(fd: number): void {
  fsyncSync(fd);
  advise(fd, POSIX_FADV_DONTNEED);
  advise(fd, POSIX_FADV_RANDOM);
}

/** Pages of a file in the page cache, by mincore(2), which is exact for the file's owner. The code under test does not use it. */
export function cachedPages(fd: number, size: number): boolean[] {
  const libc = loadLibc();
  const mmap = libc.bind<(at: null, size: number, access: number, flags: number, fd: number, from: number) => number>(
    'intptr_t mmap(void *at, size_t size, int access, int flags, int fd, int64_t from)',
  );
  const mincore = libc.bind<(at: number, size: number, out: Uint8Array) => number>(
    'int mincore(intptr_t at, size_t size, void *out)',
  );
  const munmap = libc.bind<(at: number, size: number) => number>('int munmap(intptr_t at, size_t size)');
  const at = mmap(null, size, PROT_READ, MAP_SHARED, fd, 0);
  const pages = new Uint8Array(Math.ceil(size / PAGE));
  const result = mincore(at, size, pages);
  munmap(at, size);
  if (result !== 0) throw new Error('mincore failed');
  return Array.from(pages, (page) => (page & 1) === 1);
}
