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

describe('looking up a path', () => {
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

  it('tells what an open descriptor of the file would', () => {
    const fd = openSync(path, 'r');
    const status = newStatus();
    expect(files.status(fd, status)).to.equal(true);
    closeSync(fd);
    expect(status.size).to.equal(321);
    expect(found(path)).to.deep.equal(status);
    expect(found(relative(process.cwd(), path))).to.deep.equal(status);
  });

  it('follows links, to names of any letters', () => {
    const name = scratch.path('ä € 文');
    symlinkSync(path, name);
    // Where following a link would write its time of access, the kernel will not do it without waiting.
    const later = Date.now() / 1000 + 3600;
    lutimesSync(name, later, 0);
    expect(found(name)).to.include({ size: 321, inode: statSync(path).ino });
  });

  it('finds what is no regular file, and says so', () => {
    mkdirSync(scratch.path('directory'));
    expect(found(scratch.path('directory'))?.regular).to.equal(false);
    expect(found('/dev/null')?.regular).to.equal(false);
  });

  it('finds nothing where there is nothing', () => {
    expect(found(scratch.path('none'))).to.equal(undefined);
    expect(found(`${path}/below`)).to.equal(undefined);
    expect(found('')).to.equal(undefined);
  });

  it('opens nothing: whoever waits for a reader of a FIFO goes on waiting', () => {
    const fifo = scratch.path('fifo');
    execFileSync('mkfifo', [fifo]);
    const write = (): number => openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    const reader = openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    closeSync(write());
    closeSync(reader);
    expect(found(fifo)).to.include({ regular: false });
    expect(write).to.throw(Error).with.property('errno', -os.errno.ENXIO);
  });

  it('leaves no descriptor behind', () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let round = 0; round < 100; round++) found(path);
    expect(count()).to.equal(before);
  });

  it('does not wait for a disk: what the kernel has forgotten is found once somebody else has looked', function () {
    const forget = '/proc/sys/vm/drop_caches';
    try {
      // Names and inodes that nothing refers to.
      writeFileSync(forget, '2');
    } catch {
      this.skip();
    }
    // tmpfs keeps its names nowhere else.
    if (found(path) !== undefined) this.skip();
    expect(statSync(path).size).to.equal(321);
    expect(found(path)).to.include({ size: 321 });
  });
});
