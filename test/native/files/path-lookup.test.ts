import { execFileSync } from 'node:child_process';
import fs, {
  closeSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants as os } from 'node:os';
import { relative } from 'node:path';
import { expect } from 'chai';
import { newStatus } from '../../../src/hooks/files/sendable-file.js';
import type { FileCalls, FileStatus } from '../../../src/native/platform.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';

describe('the status of the file at a path', () => {
  const scratch = useScratch();
  let files: FileCalls;
  let path: string;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    files = realFiles();
    path = scratch.file('file', 'x'.repeat(321));
  });

  function found(name: string): FileStatus | undefined {
    const status = newStatus();
    return files.lookUp(name, status) ? status : undefined;
  }

  it('is the same as by an open descriptor', () => {
    const fd = openSync(path, 'r');
    const status = newStatus();
    expect(files.status(fd, status)).to.equal(true);
    closeSync(fd);
    expect(status.size).to.equal(321);
    expect(found(path)).to.deep.equal(status);
    expect(found(relative(process.cwd(), path))).to.deep.equal(status);
  });

  it('follows links, to names in any script', () => {
    const name = scratch.path('ä € 文');
    symlinkSync(path, name);
    // The kernel follows no link without waiting if it must write the link's time of access.
    const later = Date.now() / 1000 + 3600;
    lutimesSync(name, later, 0);
    expect(found(name)).to.include({ size: 321, inode: statSync(path).ino });
  });

  it('says that a file is not regular', () => {
    mkdirSync(scratch.path('directory'));
    expect(found(scratch.path('directory'))?.regular).to.equal(false);
    expect(found('/dev/null')?.regular).to.equal(false);
  });

  it('fails for a missing file', () => {
    expect(found(scratch.path('none'))).to.equal(undefined);
    expect(found(`${path}/below`)).to.equal(undefined);
    expect(found('')).to.equal(undefined);
  });

  it('opens nothing: the writer of a FIFO goes on waiting for a reader', () => {
    const fifo = scratch.path('fifo');
    execFileSync('mkfifo', [fifo]);
    const write = (): number => openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    const reader = openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    closeSync(write());
    closeSync(reader);
    expect(found(fifo)).to.include({ regular: false });
    expect(write).to.throw(Error).with.property('errno', -os.errno.ENXIO);
  });

  it('leaves no descriptor open', () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let round = 0; round < 100; round++) found(path);
    expect(count()).to.equal(before);
  });

  it('does not wait for a disk: a path that the kernel has dropped is found after another lookup', function () {
    const forget = '/proc/sys/vm/drop_caches';
    try {
      // Drop unused names and inodes.
      writeFileSync(forget, '2');
    } catch {
      this.skip();
    }
    // tmpfs has its names nowhere else.
    if (found(path) !== undefined) this.skip();
    expect(statSync(path).size).to.equal(321);
    expect(found(path)).to.include({ size: 321 });
  });
});
