import { isUint8Array } from 'node:util/types';
import { expect } from 'chai';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import {
  afterLastRegion,
  endRegionsBefore,
  endRegionsOf,
  FileRegion,
  liveRegions,
} from '../../../src/hooks/files/region.js';
import type { NetSocket } from '../../../src/node/net.js';
import { fakeFiles } from '../../support/files/fake-files.js';
import { type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';

const FD = 99;

describe('a file region', () => {
  const made: FileRegion[] = [];
  let descriptor: FileDescriptor;

  beforeEach(() => {
    descriptor = new FileDescriptor(fakeFiles({}), FD, false);
    expect(liveRegions()).to.equal(0);
  });

  afterEach(() => {
    for (const one of made.splice(0)) one.end();
    expect(liveRegions()).to.equal(0);
  });

  function region(count: number, position = 0): FileRegion {
    const one = new FileRegion(descriptor, position, count);
    made.push(one);
    return one;
  }

  describe('in its guise', () => {
    it('passes for a Buffer wherever Node asks', () => {
      const one = region(1000);
      expect(one instanceof Buffer).to.equal(true);
      expect(one instanceof Uint8Array).to.equal(true);
      expect(Buffer.isBuffer(one)).to.equal(true);
      expect(isUint8Array(one)).to.equal(true);
      expect(ArrayBuffer.isView(one)).to.equal(true);
      expect(Buffer.prototype.toString.call(one, 'latin1', 0, 3)).to.equal('\0\0\0');
    });

    it('is still told from a Buffer', () => {
      expect(region(1) instanceof FileRegion).to.equal(true);
      expect(Buffer.alloc(1) instanceof FileRegion).to.equal(false);
    });

    it('has the length of its piece of the file, however large', () => {
      for (const count of [1, 4095, 64 << 10, (1 << 20) + 1, 64 << 20]) {
        const one = region(count, 2 ** 40);
        expect([one.length, one.byteLength, Buffer.byteLength(one), one.count]).to.deep.equal([
          count,
          count,
          count,
          count,
        ]);
        expect(one.position).to.equal(2 ** 40);
      }
    });

    it('can seem shorter than its piece of the file', () => {
      const one = new FileRegion(descriptor, 5, 2 ** 40, undefined, 1000);
      made.push(one);
      expect([one.length, one.byteLength, one.count, one.remaining]).to.deep.equal([1000, 1000, 2 ** 40, 2 ** 40]);
    });

    it('has that length also in code that was optimised for Buffers', () => {
      const lengthOf = (chunk: Uint8Array): number => chunk.length;
      const byteLengthOf = (chunk: Uint8Array): number => chunk.byteLength;
      const buffer = Buffer.alloc(77);
      const one = region(123_456);
      const wrong: number[] = [];
      for (let round = 0; round < 1e5; round++) {
        if (lengthOf(buffer) !== 77 || byteLengthOf(buffer) !== 77) wrong.push(round);
        // First only Buffers, so that the code is optimised for these; then regions in between.
        if (round < 5e4) continue;
        if (lengthOf(one) !== 123_456 || byteLengthOf(one) !== 123_456) wrong.push(round);
      }
      expect(wrong).to.deep.equal([]);
    });

    it('shares one piece of memory with all others, which holds nothing', () => {
      const large = region(1 << 20);
      const small = region(10);
      expect(small.buffer).to.equal(large.buffer);
      expect(Buffer.alloc(1 << 20).equals(large)).to.equal(true);
    });
  });

  it('knows how much of it is still to be sent', () => {
    const one = region(100);
    expect(one.remaining).to.equal(100);
    one.transferred += 30;
    expect(one.remaining).to.equal(70);
  });

  describe('from its making to its end', () => {
    it('holds its file open, and counts as live', () => {
      expect(descriptor.isHeld).to.equal(false);
      const first = region(1);
      const second = region(2);
      expect(liveRegions()).to.equal(2);
      first.end();
      expect(liveRegions()).to.equal(1);
      expect(descriptor.isHeld).to.equal(true);
      second.end();
      expect(liveRegions()).to.equal(0);
      expect(descriptor.isHeld).to.equal(false);
    });

    it('ends only once', () => {
      const first = region(1);
      region(2);
      expect(first.ended).to.equal(false);
      first.end();
      first.end();
      expect(first.ended).to.equal(true);
      expect(liveRegions()).to.equal(1);
      expect(descriptor.isHeld).to.equal(true);
    });

    it('has what waits for the last one called back when it ends, and at once where there is none', () => {
      const log: string[] = [];
      afterLastRegion(() => log.push('none'));
      expect(log).to.deep.equal(['none']);
      const first = region(1);
      const second = region(2);
      afterLastRegion(() => log.push('last'));
      first.end();
      expect(log).to.deep.equal(['none']);
      second.end();
      expect(log).to.deep.equal(['none', 'last']);
      region(3).end();
      expect(log).to.deep.equal(['none', 'last']);
    });
  });

  describe('bound for a socket', () => {
    let pair: SocketPair;
    let socket: NetSocket;
    let other: NetSocket;

    beforeEach(async () => {
      pair = await socketPair();
      socket = pair.accepted;
      other = pair.client as NetSocket;
    });

    afterEach(() => pair.close());

    const ended = (...regions: FileRegion[]): boolean[] => regions.map((one) => one.ended);

    it('ends with it, and no other region does', () => {
      const first = region(1).boundFor(socket);
      const second = region(2).boundFor(socket);
      const elsewhere = region(3).boundFor(other);
      const nowhere = region(4);
      expect(ended(first, second, elsewhere, nowhere)).to.deep.equal([false, false, false, false]);
      endRegionsOf(socket);
      expect(ended(first, second, elsewhere, nowhere)).to.deep.equal([true, true, false, false]);
      endRegionsOf(socket);
      expect(liveRegions()).to.equal(2);
    });

    it('ends when one that was written after it is sent: it was dropped on the way', () => {
      const dropped = [region(1).boundFor(socket), region(2).boundFor(socket)];
      const sent = region(3).boundFor(socket);
      const later = region(4).boundFor(socket);
      const elsewhere = region(5).boundFor(other);
      endRegionsBefore(socket, sent);
      expect(ended(...dropped, sent, later, elsewhere)).to.deep.equal([true, true, false, false, false]);
    });

    it('ends no other where it is not bound itself', () => {
      const first = region(1).boundFor(socket);
      endRegionsBefore(socket, region(2));
      expect(first.ended).to.equal(false);
    });

    it('is forgotten once it has ended', () => {
      const first = region(1).boundFor(socket);
      const second = region(2).boundFor(socket);
      first.end();
      endRegionsBefore(socket, second);
      expect(second.ended).to.equal(false);
      endRegionsOf(socket);
      expect(second.ended).to.equal(true);
    });
  });
});
