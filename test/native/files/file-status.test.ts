import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, constants as fs, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { expect } from 'chai';
import { newStatus } from '../../../src/hooks/files/sendable-file.js';
import { statusCalls } from '../../../src/native/files/file-status.js';
import type { FileCalls, FileStatus } from '../../../src/native/platform.js';
import { useScratch } from '../../support/files/scratch.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf, socketPair } from '../../support/sockets/socket-pair.js';

describe('the status of a file', () => {
  const scratch = useScratch();
  let files: FileCalls;
  const opened: number[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
    files = linux().files!;
  });

  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
  });

  function open(path: string, flags: number | string = 'r'): number {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  }

  function statusOf(fd: number): FileStatus {
    const status = newStatus();
    expect(files.status(fd, status)).to.equal(true);
    return status;
  }

  it('has the same kind, size and inode as Node’s fs.stat', () => {
    const fd = open(scratch.file('file', 'x'.repeat(12_345)));
    const { ino, dev } = fstatSync(fd);
    const { deviceMajor, deviceMinor, mount: _, ...status } = statusOf(fd);
    expect(status).to.deep.equal({ regular: true, size: 12_345, inode: ino });
    // The packing of makedev(3) for small numbers.
    expect(((deviceMajor & 0xfff) << 8) | (deviceMinor & 0xff)).to.equal(dev & 0xfffff);
  });

  it('is current at each call', () => {
    const fd = open(scratch.file('grows', 'abc'), 'r+');
    expect(statusOf(fd).size).to.equal(3);
    writeSync(fd, 'defg', 3);
    expect(statusOf(fd).size).to.equal(7);
    ftruncateSync(fd, 0);
    expect(statusOf(fd).size).to.equal(0);
  });

  it('has sizes above 4 GiB', () => {
    const fd = open(scratch.file('sparse', ''), 'r+');
    ftruncateSync(fd, 2 ** 33 + 5);
    expect(statusOf(fd).size).to.equal(2 ** 33 + 5);
  });

  it('says that a directory, a FIFO, a device and a socket are no regular files', async () => {
    execFileSync('mkfifo', [scratch.path('fifo')]);
    const pair = await socketPair();
    expect(statusOf(open(scratch.file('plain', ''))).regular).to.equal(true);
    expect(statusOf(open(scratch.path('.'))).regular).to.equal(false);
    expect(statusOf(open(scratch.path('fifo'), fs.O_RDONLY | fs.O_NONBLOCK)).regular).to.equal(false);
    expect(statusOf(open('/dev/null')).regular).to.equal(false);
    expect(statusOf(handleOf(pair.accepted).fd!).regular).to.equal(false);
    pair.close();
  });

  it('fails for a descriptor that is not open', () => {
    const status = newStatus();
    expect(files.status(-1, status)).to.equal(false);
    expect(status).to.deep.equal(newStatus());
  });

  it('says whether its file system has true file sizes', () => {
    const isKnown = (path: string): boolean => {
      const fd = open(path);
      return files.hasKnownFilesystem(fd, statusOf(fd));
    };
    const ordinary = scratch.file('ordinary', 'x');
    const sys = '/sys/kernel/mm/transparent_hugepage/enabled';
    // Twice, as the answer for a device is remembered.
    for (let round = 0; round < 2; round++) {
      expect(isKnown(ordinary)).to.equal(true);
      expect(isKnown('/proc/self/status')).to.equal(false);
      expect(isKnown('/proc/version')).to.equal(false);
      if (existsSync(sys)) expect(isKnown(sys)).to.equal(false);
      if (existsSync('/dev/shm')) expect(isKnown('/dev/shm')).to.equal(true);
    }
    expect(files.hasKnownFilesystem(-1, newStatus())).to.equal(false);
  });
});

describe('the file system of a file', () => {
  const EXT4 = 0xef53;
  const TMPFS = 0x01021994;
  const PROC = 0x9fa0;

  /** Calls to a kernel with one file system after another on the same device, and the number of its fstatfs calls. */
  function mounting(...magics: number[]): { calls: ReturnType<typeof statusCalls>; asked: () => number } {
    let asked = 0;
    const fstatfs = (_fd: number, out: Uint8Array): number => {
      new BigUint64Array(out.buffer)[0] = BigInt(magics[asked++] ?? 0);
      return 0;
    };
    const bind = <F>(prototype: string): F => (prototype.includes('fstatfs') ? fstatfs : () => -1) as F;
    return { calls: statusCalls({ bind, errno: () => 0, address: () => 0n }), asked: () => asked };
  }

  it('is asked for once on a disk', () => {
    const { calls, asked } = mounting(EXT4, EXT4);
    const disk = { ...newStatus(), deviceMajor: 8, deviceMinor: 1 };
    expect([calls.hasKnownFilesystem(5, disk), calls.hasKnownFilesystem(6, disk)]).to.deep.equal([true, true]);
    expect(asked()).to.equal(1);
    calls.hasKnownFilesystem(7, { ...disk, deviceMinor: 2 });
    expect(asked()).to.equal(2);
  });

  it('is asked for once a mount where the kernel has unique mount ids', () => {
    const { calls, asked } = mounting(TMPFS, PROC);
    const mounted = { ...newStatus(), deviceMajor: 0, deviceMinor: 44, mount: 2 ** 31 + 7 };
    expect(calls.isOnKnownFilesystem(mounted)).to.equal(false);
    expect([calls.hasKnownFilesystem(5, mounted), calls.hasKnownFilesystem(6, mounted)]).to.deep.equal([true, true]);
    expect(calls.isOnKnownFilesystem(mounted)).to.equal(true);
    expect(asked()).to.equal(1);
    const later = { ...mounted, mount: mounted.mount + 1 };
    expect(calls.isOnKnownFilesystem(later)).to.equal(false);
    expect(calls.hasKnownFilesystem(7, later)).to.equal(false);
    expect(calls.isOnKnownFilesystem(later)).to.equal(false);
  });

  it('is asked for each time where a number may be used again after an unmount', () => {
    const { calls } = mounting(TMPFS, PROC);
    const none = { ...newStatus(), deviceMajor: 0, deviceMinor: 44 };
    expect([calls.hasKnownFilesystem(5, none), calls.hasKnownFilesystem(6, none)]).to.deep.equal([true, false]);
  });
});
