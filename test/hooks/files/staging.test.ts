import { once } from 'node:events';
import { closeSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { endRegionsOf, liveRegions } from '../../../src/hooks/files/region.js';
import { StagedRegion, stageWindow } from '../../../src/hooks/files/staging.js';
import { loadLibc } from '../../../src/native/libc.js';
import { linuxPlatform } from '../../../src/native/linux.js';
import type { FileCalls } from '../../../src/native/platform.js';
import { content, digest } from '../../support/files/content.js';
import { never, realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { type RegionSocket, regionSocket } from '../../support/sockets/region-socket.js';
import { received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';

const SIZE = 10_000;
const HEAD = 'head, of a response for example\r\n';

describe('a region of a small file', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  let path: string;
  let pair: SocketPair;
  let body: Promise<Buffer>;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    path = scratch.file('file', bytes);
    pair = await socketPair();
    body = received(pair.client);
  });

  afterEach(() => {
    pair.close();
    endRegionsOf(pair.accepted);
    expect(liveRegions()).to.equal(0);
  });

  /** A region as fs.ReadStream's read makes it, of a file that is closed by then. */
  function small({ socket }: RegionSocket, position: number, count: number): StagedRegion {
    const fd = openSync(path, 'r');
    try {
      if (!stageWindow(realFiles(), fd, position, count)) throw new Error('not in the page cache');
    } finally {
      closeSync(fd);
    }
    return new StagedRegion(realFiles(), count).boundFor(socket);
  }

  /** What is sent by us; `limit` is what a call of send(2) takes, or answers. A file is not looked at again. */
  function logged(limit = Number.POSITIVE_INFINITY): { log: string[]; calls: Partial<FileCalls> } {
    const log: string[] = [];
    return {
      log,
      calls: {
        send(socket, data, hasMore) {
          log.push(`send ${data.byteLength}${hasMore ? ' and more' : ''}`);
          return limit < 1 ? limit : realFiles().send(socket, data.subarray(0, limit), hasMore);
        },
        stage: never,
        sendfile: never,
        resident: never,
      },
    };
  }

  async function send(sending: RegionSocket): Promise<void> {
    const { socket } = sending;
    socket.cork();
    socket.write(HEAD, 'latin1');
    socket.write(Buffer.from('ä'));
    socket.write(small(sending, 0, SIZE));
    socket.write('tail');
    socket.uncork();
    socket.end();
    await once(socket, 'finish');
  }

  it('is copied, with what goes ahead of it, by one call', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    await send(sending);
    expect(digest(await body)).to.equal(digest(HEAD, 'ä', bytes, 'tail'));
    expect(log).to.deep.equal([`send ${HEAD.length + 2 + SIZE}`]);
    expect([...sending.passage.copied]).to.deep.equal([['small-file', SIZE]]);
  });

  it('goes alone where nothing is ahead of it', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    sending.socket.end(small(sending, 100, 50));
    expect(digest(await body)).to.equal(digest(bytes.subarray(100, 150)));
    expect(log).to.deep.equal(['send 50']);
  });

  for (const [encoding, text, decoded] of [
    ['base64', 'aGVs\r\nbG8h\r\n', 'hello!'],
    ['base64', 'aGVsbG8h====', 'hello!'],
    ['base64url', 'aGVs bG8h ', 'hello!'],
    ['hex', '414243zz44454647', 'ABC'],
    ['hex', '4142434', 'ABC'],
    ['utf8', 'ä\ud800€', 'ä\ufffd€'],
    ['latin1', 'äöü', Buffer.from('äöü', 'latin1')],
    ['utf16le', 'äö', Buffer.from('äö', 'utf16le')],
  ] as const) {
    it(`has as much ahead of it as a string is in ${encoding}: ${JSON.stringify(text)}`, async () => {
      const { log, calls } = logged();
      const sending = regionSocket(pair.accepted, calls);
      const { socket } = sending;
      socket.cork();
      socket.write('<', 'latin1');
      socket.write(text, encoding);
      socket.write('>', 'utf8');
      socket.write(small(sending, 0, SIZE));
      socket.uncork();
      socket.end();
      expect(digest(await body)).to.equal(digest('<', decoded, '>', bytes));
      expect(log).to.deep.equal([`send ${Buffer.from(decoded).length + 2 + SIZE}`]);
    });
  }

  it('is what was read, where others are read before it is sent', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const { socket } = sending;
    socket.cork();
    for (const index of [0, 1, 2]) {
      socket.write(`${index}:`);
      socket.write(small(sending, index * 100, 100));
    }
    socket.uncork();
    socket.end();
    const pieces = [0, 1, 2].map((index) => bytes.subarray(index * 100, index * 100 + 100));
    const expected = pieces.flatMap((piece, index) => [`${index}:`, piece]);
    expect(digest(await body)).to.equal(digest(...expected));
    expect(log).to.deep.equal(['send 102', 'send 102', 'send 102']);
  });

  for (const [title, limit] of [
    ['a part of what goes ahead', 5],
    ['exactly what goes ahead', HEAD.length + 2],
    ['a part of the file', HEAD.length + 2 + 4321],
    ['all but a byte', HEAD.length + 2 + SIZE - 1],
    ['nothing', 0],
    ['nothing, being full', -os.errno.EAGAIN],
    ['nothing, having failed', -os.errno.EIO],
  ] as const) {
    it(`arrives whole where the kernel takes ${title}`, async () => {
      const { log, calls } = logged(limit);
      const sending = regionSocket(pair.accepted, calls);
      await send(sending);
      expect(digest(await body)).to.equal(digest(HEAD, 'ä', bytes, 'tail'));
      expect(log).to.include(`send ${HEAD.length + 2 + SIZE}`);
      expect(sending.passage.copied.get('small-file')).to.equal(SIZE);
    });
  }

  it('waits for what is queued before it', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const before = content(24 << 20);
    sending.socket.write(before);
    sending.socket.write(small(sending, 0, SIZE));
    expect(sending.socket.writableLength).to.be.above(SIZE);
    expect(log).to.deep.equal([]);
    sending.socket.end('tail');
    expect(digest(await body)).to.equal(digest(before, bytes, 'tail'));
  });

  it('leaves what is too much to go ahead of it to Node’s own write', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const large = content(40_000, 9);
    sending.socket.cork();
    sending.socket.write(large);
    sending.socket.write(small(sending, 0, 500));
    sending.socket.uncork();
    sending.socket.end();
    expect(digest(await body)).to.equal(digest(large, bytes.subarray(0, 500)));
    expect(log).to.deep.equal(['send 500']);
  });

  it('is sent as it was read, however the file changes while it waits for its turn', async () => {
    for (const change of [
      () => truncateSync(path),
      () => writeFileSync(path, Buffer.alloc(SIZE), { flag: 'r+' }),
      () => rmSync(path),
    ]) {
      path = scratch.file('file', bytes);
      const two = await socketPair();
      const bodyOfTwo = received(two.client);
      const sending = regionSocket(two.accepted);
      const large = content(24 << 20, 9);
      sending.socket.write(large);
      sending.socket.write(small(sending, 0, SIZE));
      change();
      sending.socket.end();
      expect(digest(await bodyOfTwo)).to.equal(digest(large, bytes));
      expect(sending.passage.poolReads).to.equal(0);
      two.close();
    }
  });

  it('has no buffer before there is a small file, and one for any number of them, one after the other', () => {
    // Calls of its own: those of the tests have sent small files before.
    const { files } = linuxPlatform(loadLibc());
    if (files === undefined) throw new Error('this system sends no files');
    expect(files.staging.buffers).to.have.length(0);
    const fd = openSync(path, 'r');
    for (let index = 0; index < 3; index++) {
      expect(stageWindow(files, fd, 0, SIZE)).to.equal(true);
      new StagedRegion(files, SIZE).end();
    }
    closeSync(fd);
    expect(files.staging.buffers).to.have.length(1);
  });

  it('keeps its bytes out of the way of what is read next, sent or given up', () => {
    const sending = regionSocket(pair.accepted);
    const { most } = realFiles().staging;
    const regions = Array.from({ length: most + 1 }, (_, index) => small(sending, index * 100, 100));
    const isStaged = regions.map(({ staged }) => staged !== undefined);
    expect(isStaged.filter((is) => !is)).to.have.length(1);
    expect(new Set(regions.map(({ staged }) => staged)).size).to.equal(regions.length);
    for (const [index, region] of regions.entries()) {
      expect(digest(region.bytes())).to.equal(digest(bytes.subarray(index * 100, index * 100 + 100)));
    }
    for (const region of regions) region.end();
    expect(regions[0]?.bytes()).to.have.length(0);
    // All buffers are free again.
    const again = Array.from({ length: most }, (_, index) => small(sending, index, 10));
    expect(again.every(({ staged }) => staged !== undefined)).to.equal(true);
    for (const region of again) region.end();
  });
});
