import { once } from 'node:events';
import fs, { closeSync, existsSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import type { Reason } from '../../../src/hooks/files/eligibility.js';
import { FileRegion, liveRegions, type Placeholder } from '../../../src/hooks/files/region.js';
import { newStatus, whyNotFile } from '../../../src/hooks/files/sendable-file.js';
import {
  cutRegion,
  hasLostBytes,
  newSource,
  nextChunk,
  nextWindow,
  regionKind,
  type Source,
  turnToNode,
  turnToRegions,
  type Window,
  type WindowLimits,
} from '../../../src/hooks/files/source.js';
import { StagedRegion } from '../../../src/hooks/files/staging.js';
import type { FileCalls } from '../../../src/native/platform.js';
import { moveOn } from '../../../src/node/patch/streams.js';
import type { FileReadStream } from '../../../src/node/streams.js';
import { content, digest } from '../../support/files/content.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';

const SIZE = 1_000_000;
const LIMITS: WindowLimits = { min: 1000, window: 100_000 };

describe('a file that is to be sent', () => {
  const scratch = useScratch();
  const opened: number[] = [];
  let path: string;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', Buffer.alloc(SIZE, 'x'));
  });

  afterEach(() => {
    for (const fd of opened.splice(0)) closeSync(fd);
  });

  function open(name: string, flags = 'r'): number {
    const fd = openSync(name, flags);
    opened.push(fd);
    return fd;
  }

  function why(fd: number, files: FileCalls = realFiles()): Reason | undefined {
    const status = newStatus();
    if (!files.status(fd, status)) return 'not-a-regular-file';
    return whyNotFile(files, fd, status);
  }

  it('is a regular one with a size', () => {
    expect(why(open(path))).to.equal(undefined);
  });

  it('is no directory and no device', () => {
    expect(why(open(scratch.path('.')))).to.equal('not-a-regular-file' satisfies Reason);
    expect(why(open('/dev/zero'))).to.equal('not-a-regular-file');
  });

  it('is none without a size, of which /proc is full', () => {
    expect(why(open(scratch.file('empty', '')))).to.equal('empty-file' satisfies Reason);
    expect(why(open('/proc/self/status'))).to.equal('empty-file');
  });

  it('is none whose file system may be making its size up', function () {
    const sys = '/sys/kernel/mm/transparent_hugepage/enabled';
    if (!existsSync(sys)) this.skip();
    expect(fs.statSync(sys).size).to.be.greaterThan(0);
    expect(why(open(sys))).to.equal('unknown-filesystem' satisfies Reason);
  });

  it('is none that Node takes for another, or does not know', () => {
    const fd = open(path);
    const original = fs.fstatSync;
    const mocks = [
      () => ({ ...original(fd), ino: 42 }),
      () => {
        throw new Error('EBADF');
      },
    ];
    for (const mock of mocks) {
      Reflect.set(fs, 'fstatSync', mock);
      try {
        expect(why(fd)).to.equal('patched-fs' satisfies Reason);
      } finally {
        Reflect.set(fs, 'fstatSync', original);
      }
    }
    expect(why(fd)).to.equal(undefined);
  });

  describe('in windows', () => {
    const regions: Placeholder[] = [];
    const streams: fs.ReadStream[] = [];
    let source: Source;
    /** Of the last window. */
    let kind: Window['kind'];

    beforeEach(() => {
      source = newSource();
    });

    afterEach(async () => {
      for (const region of regions.splice(0)) region.end();
      expect(liveRegions()).to.equal(0);
      for (const one of streams.splice(0)) {
        one.destroy();
        if (!one.closed) await once(one, 'close');
      }
    });

    type Options = Parameters<typeof fs.createReadStream>[1];

    async function stream(options: Options = {}, from = path): Promise<FileReadStream> {
      const made = fs.createReadStream(from, options);
      streams.push(made);
      if (made.pending) await once(made, 'open');
      return made as FileReadStream;
    }

    const AT_END = 'end' satisfies Window['kind'];

    /** Its bytes, or why there are none. */
    function sizeOf(window: Window): number | Reason | typeof AT_END {
      kind = window.kind;
      if (window.kind === 'end') return AT_END;
      return 'reason' in window ? window.reason : window.count;
    }

    function next(of: FileReadStream, files = realFiles(), limits = LIMITS): ReturnType<typeof sizeOf> {
      return sizeOf(nextWindow(files, source, of, of.fd!, limits));
    }

    function cut(of: FileReadStream, count: number, files = realFiles()): Placeholder | undefined {
      const region = cutRegion(files, source, of, { kind: kind === 'copied' ? kind : 'sendfile', count });
      if (region === undefined) return undefined;
      moveOn(of, count);
      regions.push(region);
      return region;
    }

    /** A region whose bytes are in the file. */
    function cutFromFile(of: FileReadStream, count: number): FileRegion {
      const region = cut(of, count);
      if (!(region instanceof FileRegion)) throw new Error('not a region of the file');
      return region;
    }

    it('goes out window by window, the last two of which are one', async () => {
      const of = await stream();
      const windows: unknown[] = [];
      for (let window = next(of); window !== AT_END; window = next(of)) {
        windows.push(window);
        if (typeof window !== 'number') break;
        cut(of, window);
      }
      expect(windows).to.deep.equal([...new Array(8).fill(100_000), 200_000]);
      expect(of.pos).to.equal(SIZE);
      expect(of.bytesRead).to.equal(SIZE);
    });

    it('is cut where the stream’s range begins and ends', async () => {
      const of = await stream({ start: 5000, end: 9999 });
      expect(next(of)).to.equal(5000);
      const region = cut(of, 5000);
      expect(region).to.include({ position: 5000, count: 5000 });
      expect(next(of)).to.equal(AT_END);
    });

    it('is at its end where the range begins behind it', async () => {
      expect(next(await stream({ start: SIZE }))).to.equal(AT_END);
      expect(next(await stream({ start: SIZE + 5 }))).to.equal(AT_END);
    });

    it('is to be copied where there is little to send, unless some of it has gone already', async () => {
      expect(next(await stream({ end: 998 }))).to.equal(999);
      expect(kind).to.equal('copied');
      expect(next(await stream({ end: 999 }))).to.equal(1000);
      expect(kind).to.equal('sendfile');
      expect(turnToRegions(source, 'sendfile')).to.equal(true);
      expect(next(await stream({ end: 998 }))).to.equal(999);
      expect(kind).to.equal('sendfile');
    });

    it('of a small file is read ahead, or left to Node if that would wait', async () => {
      const staged: unknown[] = [];
      const asked: unknown[] = [];
      const stage = (isThere: boolean, resident: number): Partial<FileCalls> => ({
        resident(...args) {
          asked.push(args);
          return resident;
        },
        stage(fd, position, count) {
          staged.push([fd, position, count]);
          return isThere;
        },
      });
      const of = await stream({ start: 5, end: 104 });
      expect(next(of, { ...realFiles(), ...stage(false, 0) })).to.equal('not-resident' satisfies Reason);
      expect(next(of, { ...realFiles(), ...stage(false, -1) })).to.equal('residency-unknown' satisfies Reason);
      expect(next(of, { ...realFiles(), ...stage(true, 0) })).to.equal(100);
      expect(asked, 'why it is not there').to.deep.equal(new Array(2).fill([of.fd, 5, 1]));
      expect(staged).to.deep.equal(new Array(3).fill([of.fd, 5, 100]));
    });

    it('of a file that is to be copied is as much as is read at a time, and is read there and then', async () => {
      const bytes = content(150_000);
      const of = await stream({}, scratch.file('copied', bytes));
      const limits = { min: 200_000, window: 100_000 };
      const pieces: (Placeholder | undefined)[] = [];
      for (
        let window = next(of, realFiles(), limits);
        typeof window === 'number';
        window = next(of, realFiles(), limits)
      ) {
        expect(source.isAtEnd).to.equal(pieces.length === 2);
        pieces.push(cut(of, window));
        turnToRegions(source, 'copied');
      }
      expect(pieces.map((piece) => piece?.count)).to.deep.equal([65_536, 65_536, 18_928]);
      const read = pieces.map((piece) => (piece instanceof StagedRegion ? piece.bytes() : Buffer.alloc(0)));
      expect(digest(...read)).to.equal(digest(bytes));
    });

    it('goes as far as it is in the page cache, and not at all where it is not', async () => {
      const of = await stream();
      const asked: unknown[] = [];
      const resident =
        (answer: number): FileCalls['resident'] =>
        (fd, position, count) => {
          asked.push([fd, position, count]);
          return answer;
        };
      expect(next(of, { ...realFiles(), resident: resident(50_000) })).to.equal(50_000);
      expect(next(of, { ...realFiles(), resident: resident(0) })).to.equal('not-resident' satisfies Reason);
      expect(next(of, { ...realFiles(), resident: resident(-1) })).to.equal('residency-unknown' satisfies Reason);
      expect(asked).to.deep.equal(new Array(3).fill([of.fd, 0, 100_000]));
    });

    it('is read in the chunks that Node would read, where nobody can say yet what becomes of them', async () => {
      const bytes = content(25_000);
      const counted = scratch.file('counted', bytes);
      const of = await stream({ start: 7, end: 22_222 }, counted);
      const chunk = (files = realFiles()): Buffer | Reason => {
        const read = nextChunk(files, source, of, of.fd ?? -1, 10_000);
        if (read.kind !== 'chunk') return read.reason;
        moveOn(of, read.chunk.length);
        return read.chunk;
      };
      expect(chunk({ ...realFiles(), stage: () => false })).to.equal('not-resident' satisfies Reason);
      expect(of).to.include({ pos: 7, bytesRead: 0 });
      for (const [from, to] of [
        [7, 10_007],
        [10_007, 20_007],
        [20_007, 22_223],
      ]) {
        expect(chunk()).to.deep.equal(bytes.subarray(from, to));
        expect(of.pos).to.equal(to);
      }
      expect(of.bytesRead).to.equal(22_216);
      expect(chunk()).to.be.a('string');
    });

    it('is missed where the file has lost bytes that the stream has not come to, and only there', async () => {
      const shrinking = scratch.file('shrinking', Buffer.alloc(50_000));
      const whole = await stream({}, shrinking);
      const begin = await stream({ end: 29_999 }, shrinking);
      const [sourceOfWhole, sourceOfBegin] = [newSource(), newSource()];
      const nextOf = (of: FileReadStream, from: Source) =>
        sizeOf(nextWindow(realFiles(), from, of, of.fd ?? -1, { min: 1000, window: 15_000 }));
      for (const [of, from] of [
        [whole, sourceOfWhole],
        [begin, sourceOfBegin],
      ] as const) {
        expect(nextOf(of, from)).to.be.above(0);
        cutRegion(realFiles(), from, of, { kind: 'sendfile', count: 30_000 })?.end();
        moveOn(of, 30_000);
      }
      ftruncateSync(open(shrinking, 'r+'), 20_000);
      expect(nextOf(whole, sourceOfWhole)).to.equal(AT_END);
      expect(nextOf(begin, sourceOfBegin)).to.equal(AT_END);
      expect([hasLostBytes(sourceOfWhole, whole), hasLostBytes(sourceOfBegin, begin)]).to.deep.equal([true, false]);
    });

    it('ends with what was promised, where the file has grown since, and only there', async () => {
      const growing = scratch.file('growing', Buffer.alloc(20_000));
      const nextOf = (of: FileReadStream, from: Source, promised: number) =>
        sizeOf(nextWindow(realFiles(), from, of, of.fd ?? -1, { min: 1000, window: 15_000 }, () => promised));
      const [exact, more, less] = [await stream({}, growing), await stream({}, growing), await stream({}, growing)];
      const [ofExact, ofMore, ofLess] = [newSource(), newSource(), newSource()];
      for (const [of, from] of [
        [exact, ofExact],
        [more, ofMore],
        [less, ofLess],
      ] as const) {
        expect(nextOf(of, from, 5)).to.equal(20_000);
        cutRegion(realFiles(), from, of, { kind: 'sendfile', count: 15_000 })?.end();
        moveOn(of, 15_000);
      }
      writeSync(open(growing, 'r+'), Buffer.alloc(10_000), 0, 10_000, 20_000);
      expect(nextOf(exact, ofExact, 20_000)).to.equal(5000);
      cutRegion(realFiles(), ofExact, exact, { kind: 'sendfile', count: 5000 })?.end();
      moveOn(exact, 5000);
      expect(nextOf(exact, ofExact, 20_000)).to.equal(AT_END);
      expect(hasLostBytes(ofExact, exact)).to.equal(false);
      expect(nextOf(more, ofMore, 25_000)).to.equal(10_000);
      // An app that has promised less than there was is on its own.
      expect(nextOf(less, ofLess, 17_000)).to.equal(5000);
    });

    it('is measured anew for each window', async () => {
      const growing = scratch.file('growing', Buffer.alloc(5000));
      const of = await stream({}, growing);
      const fd = open(growing, 'r+');
      expect(next(of)).to.equal(5000);
      cut(of, 5000);
      expect(next(of)).to.equal(AT_END);
      writeSync(fd, Buffer.alloc(2000), 0, 2000, 5000);
      turnToRegions(source, 'sendfile');
      expect(next(of)).to.equal(2000);
      ftruncateSync(fd, 100);
      expect(next(of)).to.equal(AT_END);
    });

    it('is looked at once, and refused for good where it cannot be sent', async () => {
      const of = await stream({}, scratch.file('nothing', ''));
      expect(next(of)).to.equal('empty-file' satisfies Reason);
      expect(kind).to.equal('refused');

      source = newSource();
      let looks = 0;
      const files: FileCalls = {
        ...realFiles(),
        hasKnownFilesystem: () => {
          looks++;
          return true;
        },
      };
      const good = await stream();
      next(good, files);
      next(good, files);
      expect(looks).to.equal(1);
      expect(kind).to.equal('sendfile');
    });

    it('is not sent where the descriptor says nothing', async () => {
      const of = await stream();
      expect(next(of, { ...realFiles(), status: () => false })).to.equal('not-a-regular-file' satisfies Reason);
      expect(kind).to.equal('node');
    });

    it('lends its descriptor where the stream opened it and closes it', async () => {
      const of = await stream();
      next(of);
      expect(cutFromFile(of, 10).descriptor.fd).to.equal(of.fd);
      expect(descriptorsOf(path)).to.deep.equal([of.fd]);
    });

    it('has its descriptor duplicated where anybody else may close it', async () => {
      const given = { fd: openSync(path, 'r'), start: 0 };
      for (const options of [given, { ...given, fd: openSync(path, 'r'), autoClose: false }, { autoClose: false }]) {
        source = newSource();
        const of = await stream(options);
        next(of);
        const region = cutFromFile(of, 10);
        const duplicate = region.descriptor.fd;
        expect(duplicate).to.be.greaterThan(2).and.not.equal(of.fd);
        expect(descriptorsOf(path)).to.include(duplicate);
        region.end();
        expect(descriptorsOf(path)).not.to.include(duplicate);
      }
    });

    it('is read instead where no descriptor is left for a duplicate', async () => {
      const files: FileCalls = { ...realFiles(), duplicate: () => -os.errno.EMFILE };
      const of = await stream({ fd: openSync(path, 'r'), start: 0 });
      next(of, files);
      expect(cut(of, 10, files)).to.equal(undefined);
      expect(of.pos).to.equal(0);
      expect(of.bytesRead).to.equal(0);
      expect(cut(of, 10)).not.to.equal(undefined);
    });
  });

  describe('on a route', () => {
    it('changes it with what is sent and with every other reason, and is news only then', () => {
      const source = newSource();
      expect(source.route).to.deep.equal({ kind: 'unknown' });
      expect(turnToNode(source, { kind: 'node', reason: 'not-resident' })).to.equal(true);
      expect(turnToNode(source, { kind: 'node', reason: 'not-resident' })).to.equal(false);
      expect(turnToNode(source, { kind: 'node', reason: 'no-single-pipe' })).to.equal(true);
      expect(turnToRegions(source, 'sendfile')).to.equal(true);
      expect(turnToNode(source, { kind: 'node', reason: 'no-single-pipe' })).to.equal(true);
      expect(turnToRegions(source, 'sendfile')).to.equal(false);
    });

    it('keeps how its regions are sent while Node reads in between', () => {
      const source = newSource();
      expect(regionKind(source)).to.equal(undefined);
      turnToRegions(source, 'copied');
      turnToNode(source, { kind: 'node', reason: 'not-resident' });
      turnToNode(source, { kind: 'node', reason: 'destination-not-ready' });
      expect(source.route.kind).to.equal('node');
      expect(regionKind(source)).to.equal('copied');
    });

    it('is refused for good from the start where its stream is not one to reroute', () => {
      const source = newSource('flags');
      expect(source.route).to.deep.equal({ kind: 'refused', reason: 'flags' });
      expect(turnToNode(source, { kind: 'refused', reason: 'flags' })).to.equal(false);
    });
  });
});
