import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { endRegionsOf, type FileRegion, liveRegions } from '../../src/file-region/file-region.js';
import { holdStaged, stageWindow } from '../../src/file-region/staged.js';
import type { FileCalls } from '../../src/native/platform.js';
import { content, digest } from '../support/content.js';
import { realFiles } from '../support/fake-files.js';
import { type RegionSocket, regionSocket } from '../support/region-socket.js';
import { useScratch } from '../support/scratch.js';
import { received, type SocketPair, socketPair } from '../support/socket-pair.js';

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

  function small({ region }: RegionSocket, position: number, count: number): FileRegion {
    const made = region(path, position, count);
    made.copyReason = 'small-file';
    return made;
  }

  /** What is sent by us, and how often a file was read for it; `limit` is what a call of send(2) takes, or answers. */
  function logged(limit = Number.POSITIVE_INFINITY): { log: string[]; calls: Partial<FileCalls> } {
    const log: string[] = [];
    return {
      log,
      calls: {
        send(socket, data, hasMore) {
          log.push(`send ${data.byteLength}${hasMore ? ' and more' : ''}`);
          return limit < 1 ? limit : realFiles().send(socket, data.subarray(0, limit), hasMore);
        },
        stage(fd, position, count) {
          log.push(`read ${count}`);
          return realFiles().stage(fd, position, count);
        },
        sendfile() {
          throw new Error('sendfile');
        },
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
    expect(log).to.deep.equal([`read ${SIZE}`, `send ${HEAD.length + 2 + SIZE}`]);
    expect([...sending.passage.copied]).to.deep.equal([['small-file', SIZE]]);
  });

  it('goes alone where nothing is ahead of it', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    sending.socket.end(small(sending, 100, 50));
    expect(digest(await body)).to.equal(digest(bytes.subarray(100, 150)));
    expect(log).to.deep.equal(['read 50', 'send 50']);
  });

  it('is not read again if it is still what was read last', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const files = { ...realFiles(), ...calls };
    const region = small(sending, 0, 200);
    expect(stageWindow(files, region.descriptor.fd, 0, 200)).to.equal(true);
    holdStaged(region);
    sending.socket.end(region);
    expect(digest(await body)).to.equal(digest(bytes.subarray(0, 200)));
    expect(log).to.deep.equal(['read 200', 'send 200']);
  });

  it('is read again where another has been read since', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const files = { ...realFiles(), ...calls };
    const regions = [0, 1, 2].map((index) => small(sending, index * 100, 100));
    for (const region of regions) {
      expect(stageWindow(files, region.descriptor.fd, region.position, 100)).to.equal(true);
      holdStaged(region);
    }
    sending.socket.cork();
    for (const region of regions) sending.socket.write(region);
    sending.socket.uncork();
    sending.socket.end();
    expect(digest(await body)).to.equal(digest(bytes.subarray(0, 300)));
    expect(log.filter((call) => call.startsWith('read'))).to.have.length(6);
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

  it('is left to the thread pool where it has left the page cache meanwhile', async () => {
    const { log, calls } = logged();
    const sending = regionSocket(pair.accepted, { ...calls, stage: () => false, resident: () => 0 });
    await send(sending);
    expect(digest(await body)).to.equal(digest(HEAD, 'ä', bytes, 'tail'));
    expect(log).to.deep.equal([]);
    expect(sending.passage.poolReads).to.equal(1);
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
    expect(log).to.deep.equal(['read 500', 'send 500']);
  });

  it('ends where its file does, if that has become shorter', async () => {
    const { calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    const region = small(sending, 0, SIZE);
    truncateSync(path, 1234);
    sending.socket.end(region);
    expect(digest(await body)).to.equal(digest(bytes.subarray(0, 1234)));
    expect(sending.passage.truncated).to.equal(1);
  });

  it('has nothing to do with its file any more once it was sent', async () => {
    const { calls } = logged();
    const sending = regionSocket(pair.accepted, calls);
    pair.client.pause();
    sending.socket.write(small(sending, 0, SIZE));
    writeFileSync(path, Buffer.alloc(SIZE), { flag: 'r+' });
    sending.socket.end();
    pair.client.resume();
    expect(digest(await body)).to.equal(digest(bytes));
  });
});
