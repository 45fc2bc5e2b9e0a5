import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { ERRNO } from '../../../src/native/errno.js';
import { mappedResidency, UNTOLD } from '../../../src/native/files/mapped-pages.js';
import type { Libc } from '../../../src/native/libc.js';
import type { FileCalls } from '../../../src/native/platform.js';
import { content } from '../../support/files/content.js';
import { realFiles } from '../../support/files/fake-files.js';

const PAGE = 4096;
const GIB = 2 ** 30;
const AT = 2 ** 40;
const PROT_NONE = 0;
const MAP_PRIVATE = 2;

interface Kernel {
  /** What mmap(2) answers. */
  readonly mapped?: number;
  /** What mincore(2) writes of a page, by its place in the file. */
  readonly page?: (index: number) => number;
  readonly mincore?: number;
}

/** A C library whose mincore(2) says what a test wants, and the calls that were made. */
function fakeLibc({ mapped = AT, page = () => 1, mincore = 0 }: Kernel): { libc: Libc; calls: unknown[][] } {
  const calls: unknown[][] = [];
  let from = 0;
  const functions: Record<string, (...args: never[]) => number> = {
    getpagesize: () => PAGE,
    mmap(_at: null, size: number, access: number, flags: number, fd: number, at: number) {
      calls.push(['mmap', size, access, flags, fd, at]);
      from = at;
      return mapped;
    },
    munmap(at: number, size: number) {
      calls.push(['munmap', at, size]);
      return 0;
    },
    mincore(at: number, size: number, out: Uint8Array) {
      calls.push(['mincore', at - AT, size]);
      for (let index = 0; index < size / PAGE; index++) out[index] = page((from + at - AT) / PAGE + index);
      return mincore;
    },
  };
  const bind = <F>(prototype: string): F => functions[/(\w+)\(/.exec(prototype)?.[1] ?? ''] as F;
  return { calls, libc: { bind, errno: () => 0, address: () => 0n } };
}

/** A file of this size, on a file system that is known or not. */
function fileOf(size: number, { regular = true, isKnown = true } = {}) {
  const cachedStatus: FileCalls['cachedStatus'] = (_fd, status) => {
    Object.assign(status, { regular, size, inode: 1 });
    return true;
  };
  return [{ cachedStatus }, () => isKnown] as const;
}

describe('the part of a file in the page cache, by its mapping', () => {
  const SIZE = 10 * PAGE + 1;
  const inFile = (index: number): number => (index <= 10 ? 1 : 0);

  it('is all of it, where the kernel says so of its pages and no other', () => {
    const { libc, calls } = fakeLibc({ page: inFile });
    const resident = mappedResidency(libc, ...fileOf(SIZE));
    expect(resident(7, 0, SIZE)).to.equal(SIZE);
    expect(calls).to.deep.equal([
      ['mmap', GIB + PAGE, PROT_NONE, MAP_PRIVATE, 7, 0],
      ['mincore', GIB, PAGE],
      ['mincore', 0, 11 * PAGE],
      ['munmap', AT, GIB + PAGE],
    ]);
  });

  it('is what comes before the first page that is missing', () => {
    // The other bits of a page are reserved.
    const { libc } = fakeLibc({ page: (index) => (index < 3 ? 0xff : 0xfe) });
    const resident = mappedResidency(libc, ...fileOf(SIZE));
    expect(resident(7, 0, SIZE)).to.equal(3 * PAGE);
    expect(resident(7, PAGE + 5, SIZE), 'from within a page').to.equal(2 * PAGE - 5);
    expect(resident(7, 3 * PAGE - 1, 2)).to.equal(1);
    expect(resident(7, 3 * PAGE, 1)).to.equal(0);
    expect(resident(7, 5, 10)).to.equal(10);
  });

  it('ends with the file', () => {
    const resident = mappedResidency(fakeLibc({ page: inFile }).libc, ...fileOf(SIZE));
    expect(resident(7, 10 * PAGE, 5 * PAGE)).to.equal(1);
    expect(resident(7, SIZE, 5)).to.equal(0);
    expect(resident(7, SIZE + 9, 5)).to.equal(0);
  });

  it('is told of a large file piece by piece', () => {
    const { libc, calls } = fakeLibc({ page: (index) => (index < (3 * GIB) / PAGE ? 1 : 0) });
    const resident = mappedResidency(libc, ...fileOf(3 * GIB));
    expect(resident(7, 2 * GIB + 1, GIB)).to.equal(4096 * PAGE - 1);
    expect(calls[0]).to.deep.equal(['mmap', GIB + PAGE, PROT_NONE, MAP_PRIVATE, 7, 2 * GIB]);
    expect(calls[1], 'the page behind the end').to.deep.equal(['mincore', GIB, PAGE]);
  });

  it('is not told where every page is said to be there, even one behind the end', () => {
    const { libc, calls } = fakeLibc({ page: () => 1 });
    expect(mappedResidency(libc, ...fileOf(SIZE))(7, 0, SIZE)).to.equal(UNTOLD);
    expect(calls.at(-1)).to.deep.equal(['munmap', AT, GIB + PAGE]);
  });

  it('is not told where the file cannot be mapped, or mincore(2) fails', () => {
    const unmappable = fakeLibc({ mapped: -1 });
    expect(mappedResidency(unmappable.libc, ...fileOf(SIZE))(7, 0, SIZE)).to.equal(UNTOLD);
    expect(unmappable.calls).to.have.length(1);
    const failing = fakeLibc({ page: () => 0, mincore: -1 });
    expect(mappedResidency(failing.libc, ...fileOf(SIZE))(7, 0, SIZE)).to.equal(UNTOLD);
    expect(failing.calls.at(-1)?.[0]).to.equal('munmap');
  });

  it('is not asked for again for a second where it was not told', () => {
    const { libc, calls } = fakeLibc({ page: () => 1 });
    const resident = mappedResidency(libc, ...fileOf(SIZE));
    expect([resident(7, 0, SIZE), resident(7, 0, 1), resident(8, PAGE, 1)]).to.deep.equal([UNTOLD, UNTOLD, UNTOLD]);
    expect(calls.filter(([name]) => name === 'mmap')).to.have.length(1);
  });

  it('is asked for again after that', async () => {
    const says = { all: 1 };
    const { libc } = fakeLibc({ page: (index) => (index <= 10 ? 1 : says.all) });
    const resident = mappedResidency(libc, ...fileOf(SIZE));
    expect(resident(7, 0, SIZE)).to.equal(UNTOLD);
    says.all = 0;
    await delay(1100);
    expect(resident(7, 0, SIZE)).to.equal(SIZE);
  });

  it('is not asked for on a file system that is not known, nor of anything but a file', () => {
    for (const kind of [{ isKnown: false }, { regular: false }]) {
      const { libc, calls } = fakeLibc({ page: inFile });
      expect(mappedResidency(libc, ...fileOf(SIZE, kind))(7, 0, SIZE)).to.equal(UNTOLD);
      expect(calls).to.deep.equal([]);
    }
  });
});

describe('a file on tmpfs', () => {
  const SIZE = 1 << 20;
  const bytes = content(SIZE);
  const read = Buffer.alloc(SIZE);
  let directory: string | undefined;
  let fd = -1;

  before(function () {
    if (process.platform !== 'linux' || !existsSync('/dev/shm')) this.skip();
    directory = mkdtempSync('/dev/shm/unit-');
    fd = openSync(join(directory, 'file'), 'w+');
    writeSync(fd, bytes);
    // tmpfs may learn RWF_NOWAIT one day. Then it is preadv2(2) that answers, and these tests hold as well.
    const { status, hasKnownFilesystem } = realFiles();
    const of = { regular: false, size: 0, inode: 0, deviceMajor: 0, deviceMinor: 0, mount: 0 };
    expect(status(fd, of) && hasKnownFilesystem(fd, of)).to.equal(true);
  });

  after(() => {
    if (fd >= 0) closeSync(fd);
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  it('is in the page cache', () => {
    const { resident } = realFiles();
    expect(resident(fd, 0, SIZE)).to.equal(SIZE);
    expect(resident(fd, 5000, 300)).to.equal(300);
    expect(resident(fd, SIZE - 1, 1)).to.equal(1);
  });

  it('is read into a staging buffer', () => {
    const { stage, staging } = realFiles();
    expect(stage(fd, 5000, 10_000, 3)).to.equal(true);
    const staged = staging.buffers[3]?.subarray(staging.lead, staging.lead + 10_000);
    expect(staged?.equals(bytes.subarray(5000, 15_000))).to.equal(true);
    expect(stage(fd, SIZE - 10, 20, 3), 'more than there is').to.equal(false);
  });

  it('is read where the descriptor stands, and up to its end', function () {
    const { readNow, moveBack } = realFiles();
    const first = readNow(fd, read, 0, 1, 0);
    // Before Linux 6.8 nothing tells one tmpfs from the next, without statfs(2).
    if (first === -ERRNO.EOPNOTSUPP) this.skip();
    expect(readNow(fd, read, 100, 5000, 70_000)).to.equal(5000);
    expect(read.subarray(100, 5100).equals(bytes.subarray(70_000, 75_000))).to.equal(true);
    expect(readNow(fd, read, 0, 10, -1), 'the end').to.equal(0);
    expect(moveBack(fd, 10)).to.equal(true);
    expect(readNow(fd, read, 0, 20, -1)).to.equal(10);
    expect(read.subarray(0, 10).equals(bytes.subarray(SIZE - 10))).to.equal(true);
    expect(readNow(fd, read, 0, 10, SIZE + 5)).to.equal(0);
  });

  it('is not there where it has a hole', () => {
    const { resident } = realFiles();
    ftruncateSync(fd, SIZE + (8 << 20));
    // With huge pages, the last one of the data reaches into the hole.
    expect(resident(fd, SIZE + (4 << 20), 4 << 20)).to.equal(0);
    ftruncateSync(fd, SIZE);
  });
});
