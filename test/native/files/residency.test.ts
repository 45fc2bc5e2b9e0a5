import { closeSync, openSync, readSync } from 'node:fs';
import { expect } from 'chai';
import { ERRNO } from '../../../src/native/errno.js';
import { statusCalls } from '../../../src/native/files/file-status.js';
import { readNowCall, residencyCall } from '../../../src/native/files/residency.js';
import { type Libc, loadLibc } from '../../../src/native/libc.js';
import { content } from '../../support/files/content.js';
import { cachedPages, evict } from '../../support/files/page-cache.js';
import { useScratch } from '../../support/files/scratch.js';
import { collectGarbage } from '../../support/garbage.js';

type Residency = ReturnType<typeof residencyCall>;

const SIZE = 4 << 20;
const PAGE = 4096;
const PROBE_STRIDE = 64 << 10;

/** The C library without cachestat(2): an older kernel, or a user without permission. */
function withoutCachestat(onAddress: (buffer: Buffer) => void): Libc {
  const libc = loadLibc();
  return {
    ...libc,
    address(buffer) {
      onAddress(buffer);
      return libc.address(buffer);
    },
    bind: <F extends (...args: never[]) => number>(prototype: string): F =>
      prototype.startsWith('long syscall(') ? ((() => -1) as unknown as F) : libc.bind<F>(prototype),
  };
}

describe('the part of a file in the page cache', () => {
  const scratch = useScratch();
  const ways: Record<string, Residency> = {};
  // The kernel writes to the addresses of these buffers, so we keep them.
  const kept: Buffer[] = [];
  let fd: number;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    ways['cachestat, where the kernel has it'] = residencyCall(loadLibc(), statusCalls(loadLibc()));
    ways['probing by preadv2'] = residencyCall(
      withoutCachestat((buffer) => kept.push(buffer)),
      statusCalls(loadLibc()),
    );
    fd = openSync(scratch.file('file', content(SIZE)), 'r+');
  });

  after(() => {
    if (fd !== undefined) closeSync(fd);
  });

  function read(position: number, count: number): void {
    readSync(fd, Buffer.alloc(count), 0, count, position);
  }

  /** Drop the file from the cache, or skip the test: tmpfs, for example, has its files nowhere else. */
  function makeCold(test: Mocha.Context): void {
    evict(fd);
    if (cachedPages(fd, SIZE).some((isCached) => isCached)) test.skip();
  }

  /**
   * Whether a wrong answer has become true meanwhile. The probe of a missing page makes the kernel read it, and a disk may
   * be that fast. Within the distance of two probes, these pages are at the ends.
   */
  function hasBecomeTrue(position: number, answer: number): boolean {
    if (answer === 0 || answer > PROBE_STRIDE) return false;
    const pages = cachedPages(fd, SIZE);
    return [position, position + answer - 1].every((byte) => pages[Math.floor(byte / PAGE)] === true);
  }

  /** @param prepare is called before each question, as each question may change the page cache */
  function expectResident(
    prepare: () => void,
    expected: readonly [position: number, count: number, resident: number][],
  ) {
    for (const [way, residentIn] of Object.entries(ways)) {
      for (const [position, count, resident] of expected) {
        prepare();
        const answer = residentIn(fd, position, count);
        if (hasBecomeTrue(position, answer)) continue;
        expect(answer, `${count} from ${position}, by ${way}`).to.equal(resident);
      }
    }
  }

  it('is the whole file after a read', () => {
    read(0, SIZE);
    expect(cachedPages(fd, SIZE)).not.to.include(false);
    expectResident(
      () => undefined,
      [
        [0, SIZE, SIZE],
        [SIZE - 1, 1, 1],
        [5, 100, 100],
        [PAGE - 1, 2, 2],
      ],
    );
  });

  it('is empty for a file that is only on the disk', function () {
    expectResident(
      () => makeCold(this),
      [
        [0, SIZE, 0],
        [0, 1, 0],
        [SIZE - 1, 1, 0],
        [PAGE * 3 + 5, 1 << 20, 0],
      ],
    );
  });

  it('is the beginning, by halves, where the rest was not read yet', function () {
    expectResident(() => {
      makeCold(this);
      read(0, 1 << 20);
      expect(cachedPages(fd, SIZE).lastIndexOf(true)).to.equal((1 << 20) / PAGE - 1);
    }, [
      [0, SIZE, 1 << 20],
      [0, 1 << 20, 1 << 20],
      [0, 2 << 20, 1 << 20],
      [2 << 20, 2 << 20, 0],
      [512 << 10, 1 << 20, 512 << 10],
    ]);
  });

  it('is the part up to a gap between the beginning and the end', function () {
    expectResident(() => {
      makeCold(this);
      read(0, 1 << 20);
      read(SIZE - PAGE, PAGE);
      expect(cachedPages(fd, SIZE).at(-1)).to.equal(true);
    }, [[0, SIZE, 1 << 20]]);
  });

  it('is empty where only a later part is there', function () {
    expectResident(() => {
      makeCold(this);
      read(2 << 20, 1 << 20);
    }, [
      [0, SIZE, 0],
      [2 << 20, 1 << 20, 1 << 20],
    ]);
  });

  it('is counted in pages of the kernel’s size', () => {
    for (const pageSize of [4096, 16_384, 65_536]) {
      const libc = loadLibc();
      const pagesOf: Libc = {
        ...libc,
        bind: <F extends (...args: never[]) => number>(prototype: string): F => {
          if (prototype.startsWith('int getpagesize')) return (() => pageSize) as unknown as F;
          if (!prototype.startsWith('long syscall(')) return libc.bind<F>(prototype);
          return ((_n: number, _fd: number, range: BigUint64Array, found: BigUint64Array) => {
            const [from = 0n, count = 0n] = range;
            const size = BigInt(pageSize);
            found[0] = (from + count + size - 1n) / size - from / size;
            return 0;
          }) as unknown as F;
        },
      };
      read(0, SIZE);
      const resident = residencyCall(pagesOf, statusCalls(loadLibc()));
      expect(resident(fd, 0, SIZE), `all, in pages of ${pageSize}`).to.equal(SIZE);
      expect(resident(fd, 5000, 1 << 20), `a part, in pages of ${pageSize}`).to.equal(1 << 20);
    }
  });

  it('is probed with memory that survives a garbage collection', async () => {
    const buffers: WeakRef<Buffer>[] = [];
    const resident = residencyCall(
      withoutCachestat((buffer) => buffers.push(new WeakRef(buffer))),
      statusCalls(loadLibc()),
    );
    expect(buffers).to.have.length(1);
    await collectGarbage();
    expect(buffers[0]?.deref(), 'the buffer that preadv2 writes to').to.be.instanceOf(Buffer);
    expect(resident(fd, 0, 1)).to.be.within(0, 1);
  });

  it('is empty for a descriptor that is not open', () => {
    for (const [way, resident] of Object.entries(ways)) expect(resident(-1, 0, 4096), way).to.equal(0);
  });
});

/** The C library of Linux 5.9 and 5.10, where preadv2(2) with RWF_NOWAIT answers 0 for what is not in the page cache. */
function withEmptyAnswers(): Libc {
  const libc = loadLibc();
  return {
    ...libc,
    bind: <F extends (...args: never[]) => number>(prototype: string): F =>
      prototype.startsWith('long preadv2(') ? ((() => 0) as unknown as F) : libc.bind<F>(prototype),
  };
}

describe('a read of what is in the page cache', () => {
  const scratch = useScratch();
  const bytes = Buffer.alloc(PAGE);
  let fd: number;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    fd = openSync(scratch.file('short', content(100)), 'r');
  });

  after(() => {
    if (fd !== undefined) closeSync(fd);
  });

  it('has an end where the file has one', () => {
    const readNow = readNowCall(loadLibc(), statusCalls(loadLibc()));
    expect(readNow(fd, bytes, 0, PAGE, 0)).to.equal(100);
    expect(readNow(fd, bytes, 0, PAGE, 100)).to.equal(0);
    expect(readNow(fd, bytes, 0, PAGE, 5000)).to.equal(0);
  });

  it('has no end before that, although Linux 5.10 says so', () => {
    const readNow = readNowCall(withEmptyAnswers(), statusCalls(loadLibc()));
    expect(readNow(fd, bytes, 0, PAGE, 0), 'the first byte').to.equal(-ERRNO.EAGAIN);
    expect(readNow(fd, bytes, 0, PAGE, 99), 'the last byte').to.equal(-ERRNO.EAGAIN);
    expect(readNow(fd, bytes, 0, PAGE, 100), 'the end').to.equal(0);
  });

  it('has none either where the descriptor stands', () => {
    const readNow = readNowCall(withEmptyAnswers(), statusCalls(loadLibc()));
    expect(readNow(fd, bytes, 0, PAGE, -1), 'at the beginning').to.equal(-ERRNO.EAGAIN);
    expect(readSync(fd, bytes)).to.equal(100);
    expect(readNow(fd, bytes, 0, PAGE, -1), 'at the end').to.equal(0);
  });
});
