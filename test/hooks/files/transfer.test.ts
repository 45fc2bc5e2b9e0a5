import { once } from 'node:events';
import fs, { closeSync, ftruncateSync, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import { endRegionsOf, FileRegion, hasRegion, liveRegions } from '../../../src/hooks/files/region.js';
import type { FileCalls } from '../../../src/native/platform.js';
import type { NetSocket } from '../../../src/node/net.js';
import type { WriteBatch } from '../../../src/node/streams.js';
import { content, digest } from '../../support/files/content.js';
import { fakeFiles, realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { type Passage, type RegionSocket, regionSocket } from '../../support/sockets/region-socket.js';
import { securePair } from '../../support/sockets/secure-pair.js';
import { received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';
import { turns } from '../../support/turns.js';
import { until } from '../../support/until.js';

const SIZE = 700_000;
/** So much of a region at most goes by one call, so that there are several of them. */
const PIECE = 100_000;
const HEAD = 'head, of a response for example\r\n';
const TAIL = Buffer.from('what follows the file');

type Sendfile = FileCalls['sendfile'];

/** sendfile(2) in pieces; one of its calls has a fault. */
function sendfileWithFault(faultyCall: number, fault: Sendfile): Sendfile {
  let calls = 0;
  return (socket, file, position, count) => {
    calls++;
    const piece = Math.min(count, PIECE);
    return calls === faultyCall
      ? fault(socket, file, position, piece)
      : realFiles().sendfile(socket, file, position, piece);
  };
}

describe('a transfer', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  let path: string;
  let pair: SocketPair;
  let body: Promise<Buffer>;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(connect);

  /** A new connection, in place of the last one. */
  async function connect(): Promise<void> {
    if (pair !== undefined) pair.close();
    pair = await socketPair();
    body = received(pair.client);
    // A body that nobody waits for may end as it likes.
    body.catch(() => undefined);
  }

  afterEach(() => {
    pair.close();
    endRegionsOf(pair.accepted);
    expect(liveRegions()).to.equal(0);
    expect(descriptorsOf(path)).to.deep.equal([]);
  });

  /** Write head, region and tail, each by itself or all at once; answers with the order of the callbacks. */
  async function writeAll({ socket, region }: RegionSocket, corked: boolean, position = 0, count = SIZE) {
    const order: string[] = [];
    const note = (what: string) => (error?: Error | null) => {
      order.push(error ? `${what} failed` : what);
    };
    if (corked) socket.cork();
    socket.write(HEAD, 'latin1', note('head'));
    socket.write(region(path, position, count), note('region'));
    socket.write(TAIL, note('tail'));
    if (corked) socket.uncork();
    socket.end();
    await once(socket, 'finish');
    return order;
  }

  it('sends head, file and tail in their order and calls back in that order', async () => {
    for (const corked of [false, true]) {
      await connect();
      const sending = regionSocket(pair.accepted);
      expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
      expect(digest(await body)).to.equal(digest(HEAD, bytes, TAIL));
      expect(sending.passage.sent).to.be.greaterThan(0);
    }
  });

  it('sends a piece from the middle of the file', async () => {
    await writeAll(regionSocket(pair.accepted), true, 12_345, 300_001);
    expect(digest(await body)).to.equal(digest(HEAD, bytes.subarray(12_345, 312_346), TAIL));
  });

  it('recognises regions alone and anywhere in a batch, and nothing else', () => {
    const region = new FileRegion(new FileDescriptor(fakeFiles({}), 1, false), 0, 10);
    const part = { chunk: Buffer.from('x'), encoding: 'buffer' };
    const batch: WriteBatch = [part, { chunk: 'text', encoding: 'utf8' }];
    expect(hasRegion(false, region)).to.equal(true);
    expect(hasRegion(false, part.chunk)).to.equal(false);
    expect(hasRegion(false, 'text')).to.equal(false);
    expect(hasRegion(true, batch)).to.equal(false);
    expect(hasRegion(true, [...batch, { chunk: region, encoding: 'buffer' }])).to.equal(true);
    region.end();
  });

  describe('whose sendfile fails', () => {
    const ERRORS = ['EINTR', 'EINVAL', 'ENOSYS', 'EPERM', 'EIO', 'ENOMEM', 'EOVERFLOW', 'EBADF'] as const;

    for (const corked of [false, true]) {
      const how = corked ? 'in a batch' : 'alone';
      for (const name of ERRORS) {
        it(`with ${name} copies the rest from the very same byte (${how})`, async () => {
          for (const call of [1, 2, 3]) {
            await connect();
            const sendfile = sendfileWithFault(call, () => -os.errno[name]);
            const sending = regionSocket(pair.accepted, { sendfile });
            expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
            expect(digest(await body), `call ${call}`).to.equal(digest(HEAD, bytes, TAIL));
            expect(sending.passage.sendfiles, 'calls of sendfile').to.equal(call);
            expect(sending.passage.sent).to.equal((call - 1) * PIECE);
            expect(copiedBytes(sending.passage)).to.equal(SIZE - (call - 1) * PIECE);
            expect([...sending.passage.copied.keys()][0]).to.equal(`refused:${name}`);
          }
        });
      }

      it(`with EAGAIN waits for the socket by a write of Node’s own, and goes on with sendfile (${how})`, async () => {
        for (const call of [1, 2, 3]) {
          await connect();
          const sendfile = sendfileWithFault(call, () => -os.errno.EAGAIN);
          const sending = regionSocket(pair.accepted, { sendfile });
          expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
          expect(digest(await body), `call ${call}`).to.equal(digest(HEAD, bytes, TAIL));
          expect([...sending.passage.copied.keys()]).to.deep.equal(['socket-full']);
          expect(sending.passage.sendfiles).to.be.greaterThan(call);
          expect(copiedBytes(sending.passage)).to.be.lessThan(PIECE);
        }
      });

      it(`with EAGAIN at every call ends up as copying, in pieces as large as ever (${how})`, async () => {
        await connect();
        const sending = regionSocket(pair.accepted, { sendfile: () => -os.errno.EAGAIN });
        expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
        expect(digest(await body)).to.equal(digest(HEAD, bytes, TAIL));
        expect([...sending.passage.copied]).to.deep.equal([['socket-full', SIZE]]);
        // Of 8, 16 and 32 KB, and then of as much as fs.ReadStream reads at a time.
        expect(sending.passage.sendfiles).to.be.at.most(3 + Math.ceil(SIZE / (64 << 10)));
      });

      it(`with EAGAIN on a long path tries again by a timer, and copies nothing (${how})`, async () => {
        for (const call of [1, 2, 3]) {
          await connect();
          const sendfile = sendfileWithFault(call, () => -os.errno.EAGAIN);
          const sending = regionSocket(pair.accepted, { sendfile, refillDelay: () => 1 });
          expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
          expect(digest(await body), `call ${call}`).to.equal(digest(HEAD, bytes, TAIL));
          expect([...sending.passage.copied]).to.deep.equal([]);
          expect(sending.passage.sent).to.equal(SIZE);
        }
      });

      it(`with EAGAIN on a long path at every call waits by a write of Node’s own after two timers (${how})`, async () => {
        await connect();
        let asked = 0;
        const refillDelay = (): number => {
          asked++;
          return 1;
        };
        const sending = regionSocket(pair.accepted, { sendfile: () => -os.errno.EAGAIN, refillDelay });
        expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
        expect(digest(await body)).to.equal(digest(HEAD, bytes, TAIL));
        expect([...sending.passage.copied]).to.deep.equal([['socket-full', SIZE]]);
        expect(asked).to.equal(2);
      });

      it(`by sending less than it was asked to goes on from there (${how})`, async () => {
        for (const call of [1, 2, 3]) {
          for (const short of [1, 4095, 4096]) {
            await connect();
            const sendfile = sendfileWithFault(call, (socket, file, position, count) =>
              realFiles().sendfile(socket, file, position, Math.min(count, short)),
            );
            const sending = regionSocket(pair.accepted, { sendfile });
            expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
            expect(digest(await body), `${short} at call ${call}`).to.equal(digest(HEAD, bytes, TAIL));
            expect(sending.passage.sent).to.equal(SIZE);
          }
        }
      });

      it(`by sending nothing has come to the end of the file, and goes on with what follows (${how})`, async () => {
        for (const call of [1, 2, 3]) {
          await connect();
          const sending = regionSocket(pair.accepted, { sendfile: sendfileWithFault(call, () => 0) });
          expect(await writeAll(sending, corked)).to.deep.equal(['head', 'region', 'tail']);
          const sent = bytes.subarray(0, (call - 1) * PIECE);
          expect(digest(await body), `call ${call}`).to.equal(digest(HEAD, sent, TAIL));
          expect(sending.passage.truncated).to.equal(1);
        }
      });
    }
  });

  describe('to a peer that reads late', () => {
    it('fills the socket, waits, and sends all', async () => {
      const size = 24 << 20;
      const large = content(size, 7);
      const sending = regionSocket(pair.accepted);
      const late = await socketPair();
      const slow = regionSocket(late.accepted);
      late.client.pause();
      const region = slow.region(scratch.file('large', large), 0, size);
      const written = new Promise<void>((resolve) => late.accepted.write(region, () => resolve()));
      // It takes several turns of the event loop to fill the socket.
      while (slow.passage.copied.size === 0) await new Promise(setImmediate);
      expect(region.transferred).to.be.within(1, size - 1);
      expect(region.ended).to.equal(false);
      late.accepted.end();
      expect(digest(await received(late.client))).to.equal(digest(large));
      await written;
      expect(region.ended).to.equal(true);
      expect([...slow.passage.copied.keys()]).to.deep.equal(['socket-full']);
      expect(slow.passage.sent).to.be.greaterThan(size / 2);
      expect(sending.passage.sent).to.equal(0);
      late.close();
    });

    it('gives up with the socket while a timer waits for it', async () => {
      const sendfile = (): number => -os.errno.EAGAIN;
      const sending = regionSocket(pair.accepted, { sendfile, refillDelay: () => 1 });
      const region = sending.region(path, 0, SIZE);
      const outcome = new Promise<unknown>((resolve) => pair.accepted.write(region, resolve));
      pair.accepted.destroy();
      await outcome;
      expect(region.ended).to.equal(true);
      expect([...sending.passage.copied]).to.deep.equal([]);
    });

    it('sends nothing by sendfile past what Node has queued already', async () => {
      const late = await socketPair();
      late.client.pause();
      const slow = regionSocket(late.accepted);
      const before = content(8 << 20, 3);
      late.accepted.write(before);
      expect(late.accepted._handle?.writeQueueSize).to.be.greaterThan(0);
      // Node itself hands over nothing behind a write that is under way; whoever calls it directly must be safe as well.
      const region = slow.region(path, 0, SIZE);
      late.accepted._writeGeneric(false, region, 'buffer', () => late.accepted.end());
      expect(slow.passage.sendfiles).to.equal(0);
      expect(digest(await received(late.client))).to.equal(digest(before, bytes));
      late.close();
    });
  });

  describe('of headers', () => {
    /** Everything that is asked of a socket, in its order. */
    function logged(limit = Number.POSITIVE_INFINITY): { log: string[]; calls: Partial<FileCalls> } {
      const log: string[] = [];
      return {
        log,
        calls: {
          send(socket, data, hasMore) {
            log.push(`more ${data.byteLength}`);
            return limit < 1 ? limit : realFiles().send(socket, data.subarray(0, limit), hasMore);
          },
          sendfile(socket, file, position, count) {
            log.push('file');
            return realFiles().sendfile(socket, file, position, count);
          },
        },
      };
    }

    it('has them wait in the kernel for the file’s first bytes', async () => {
      const { log, calls } = logged();
      await writeAll(regionSocket(pair.accepted, calls), true, 0, 1000);
      expect(log).to.deep.equal([`more ${HEAD.length}`, 'file']);
      expect(digest(await body)).to.equal(digest(HEAD, bytes.subarray(0, 1000), TAIL));
    });

    it('sends them ahead by Node’s own write where they are not to be joined', async () => {
      const { log, calls } = logged();
      await writeAll(regionSocket(pair.accepted, calls, { joins: false }), true, 0, 1000);
      expect(log).to.deep.equal(['file']);
      expect(digest(await body)).to.equal(digest(HEAD, bytes.subarray(0, 1000), TAIL));
    });

    it('joins several pieces, in whatever encoding they are', async () => {
      const { log, calls } = logged();
      const { socket, region } = regionSocket(pair.accepted, calls);
      socket.cork();
      socket.write('ä', 'latin1');
      socket.write('ä', 'utf8');
      socket.write('c3a4', 'hex');
      socket.write(Buffer.from([0, 255]));
      socket.write('w6Q=', 'base64');
      socket.write(region(path, 0, 1000));
      socket.uncork();
      socket.end();
      const expected = Buffer.from('e4c3a4c3a400ffc3a4', 'hex');
      expect(digest(await body)).to.equal(digest(expected, bytes.subarray(0, 1000)));
      expect(log).to.deep.equal([`more ${expected.length}`, 'file']);
    });

    for (const [title, limit] of [
      ['takes a part of them', 5],
      ['takes none of them', 0],
      ['is full', -os.errno.EAGAIN],
      ['fails', -os.errno.EIO],
    ] as const) {
      it(`leaves the rest to Node’s own write where the kernel ${title}`, async () => {
        const { log, calls } = logged(limit);
        await writeAll(regionSocket(pair.accepted, calls), true, 0, 1000);
        expect(log[0]).to.equal(`more ${HEAD.length}`);
        expect(digest(await body)).to.equal(digest(HEAD, bytes.subarray(0, 1000), TAIL));
      });
    }

    it('leaves large ones to Node’s own write', async () => {
      const { log, calls } = logged();
      const { socket, region } = regionSocket(pair.accepted, calls);
      const large = content(40_000, 9);
      socket.cork();
      socket.write(large);
      socket.write(region(path, 0, 1000));
      socket.uncork();
      socket.end();
      expect(digest(await body)).to.equal(digest(large, bytes.subarray(0, 1000)));
      expect(log).to.deep.equal(['file']);
    });

    it('leaves them to Node’s own write where the file is read first', async () => {
      const { log, calls } = logged();
      const sending = regionSocket(pair.accepted, { ...calls, resident: () => 0 });
      const { socket, region } = sending;
      socket.cork();
      socket.write(HEAD);
      socket.write(stale(region(path, 0, 1000)));
      socket.uncork();
      socket.end();
      expect(digest(await body)).to.equal(digest(HEAD, bytes.subarray(0, 1000)));
      expect(log).to.deep.equal([]);
    });
  });

  it('takes many small pieces in one batch without running out of stack', async () => {
    const { socket, passage, region } = regionSocket(pair.accepted);
    const shared = openSync(path, 'r');
    const descriptor = new FileDescriptor(fakeFiles({}), shared, false);
    const expected: Uint8Array[] = [];
    socket.cork();
    for (let index = 0; index < 20_000; index++) {
      socket.write(index % 2 === 0 ? 'x' : new FileRegion(descriptor, index, 1).boundFor(socket));
      expected.push(index % 2 === 0 ? Buffer.from('x') : bytes.subarray(index, index + 1));
    }
    socket.uncork();
    socket.end(region(path, 0, 5));
    expect(digest(await body)).to.equal(digest(...expected, bytes.subarray(0, 5)));
    expect(passage.sent + copiedBytes(passage)).to.equal(10_005);
    closeSync(shared);
  });

  describe('of a file that would have to be waited for', () => {
    it('has the thread pool read it', async () => {
      const sending = regionSocket(pair.accepted, { resident: () => 0 });
      const { socket, region, passage } = sending;
      socket.end(stale(region(path, 0, SIZE)));
      expect(digest(await body)).to.equal(digest(bytes));
      expect([...passage.copied]).to.deep.equal([['not-resident', SIZE]]);
      expect(passage.poolReads).to.be.greaterThan(1);
      expect(passage.sendfiles).to.equal(0);
    });

    it('is not asked for again where the kernel does not tell', async () => {
      const asked: number[] = [];
      const resident: FileCalls['resident'] = (_, position, count) => {
        // The pieces that the thread pool is to read are smaller.
        if (count > 300_000) asked.push(position);
        return -1;
      };
      const { socket, region, passage } = regionSocket(pair.accepted, { resident });
      socket.end(stale(region(path, 0, SIZE)));
      expect(digest(await body)).to.equal(digest(bytes));
      expect([...passage.copied]).to.deep.equal([['residency-unknown', SIZE]]);
      expect(passage.sendfiles).to.equal(0);
      expect(asked).to.deep.equal([0]);
    });

    it('goes by sendfile again from where the file is in the page cache', async () => {
      const resident: FileCalls['resident'] = (_, position, count) => (position < 200_000 ? 0 : count);
      const { socket, region, passage } = regionSocket(pair.accepted, { resident });
      socket.end(stale(region(path, 0, SIZE)));
      expect(digest(await body)).to.equal(digest(bytes));
      expect(copiedBytes(passage)).to.be.within(200_000, 300_000);
      expect(passage.sent).to.equal(SIZE - copiedBytes(passage));
    });

    it('is not asked for again while what was seen of it is fresh', async () => {
      const asked: number[] = [];
      const resident: FileCalls['resident'] = (_, position, count) => {
        asked.push(position);
        return count;
      };
      const { socket, region } = regionSocket(pair.accepted, { resident });
      socket.write(region(path, 0, 1000));
      expect(asked).to.deep.equal([]);
      socket.end(stale(region(path, 1000, 1000)));
      expect(asked).to.deep.equal([1000]);
      expect(digest(await body)).to.equal(digest(bytes.subarray(0, 2000)));
    });

    it('is read to its end although the stream has closed its descriptor, and the number is another file’s', async () => {
      const other = scratch.file('other', content(SIZE, 99));
      const fd = openSync(path, 'r');
      let begin: (() => void) | undefined;
      // The first read waits for its turn in the pool until all this has happened.
      const read = Object.assign((...args: unknown[]): void => {
        if (begin === undefined) begin = () => Reflect.apply(fs.read, fs, args);
        else Reflect.apply(fs.read, fs, args);
      }, fs.read);
      const { socket } = regionSocket(pair.accepted, { resident: () => 0 }, { read });
      const descriptor = new FileDescriptor(realFiles(), fd, false);
      socket.end(stale(new FileRegion(descriptor, 0, SIZE).boundFor(socket)));
      // As the hook does when the stream is destroyed.
      expect(descriptor.own()).to.equal(true);
      closeSync(fd);
      const reused = openSync(other, 'r');
      expect(reused).to.equal(fd);
      begin?.();
      expect(digest(await body)).to.equal(digest(bytes));
      closeSync(reused);
    });
  });

  describe('of a file that becomes shorter', () => {
    const AFTER = 250_000;

    function shrinking(): string {
      const name = scratch.file('shrinking', bytes);
      const fd = openSync(name, 'r+');
      ftruncateSync(fd, AFTER);
      closeSync(fd);
      return name;
    }

    /** Make the socket one that has promised how long the file is. */
    function promise(socket: NetSocket, header: string): void {
      Object.defineProperty(socket, '_httpMessage', { value: { _header: `HTTP/1.1 200 OK\r\n${header}\r\n\r\n` } });
    }

    for (const resident of [true, false]) {
      const how = resident ? 'by sendfile' : 'by reading';
      const calls: Partial<FileCalls> = resident ? {} : { resident: () => 0 };

      it(`ends there, where no length was promised, and what follows is sent (${how})`, async () => {
        const { socket, region, passage } = regionSocket(pair.accepted, calls);
        const one = region(shrinking(), 0, SIZE);
        const errors: unknown[] = [];
        socket.write(resident ? one : stale(one), (error) => errors.push(error));
        socket.end(TAIL);
        expect(digest(await body)).to.equal(digest(bytes.subarray(0, AFTER), TAIL));
        expect(passage.truncated).to.equal(1);
        expect(one.transferred).to.equal(AFTER);
        expect(errors).to.have.length(1);
        expect(errors[0] ?? null).to.equal(null);
      });

      for (const header of ['Content-Length: 700000', 'transfer-encoding: chunked']) {
        it(`ends the connection, where there is "${header}" (${how})`, async () => {
          const { socket, region, passage } = regionSocket(pair.accepted, calls);
          promise(socket, header);
          const one = region(shrinking(), 0, SIZE);
          let calledBack = 0;
          socket.write(resident ? one : stale(one), () => calledBack++);
          socket.write(TAIL, () => undefined);
          await once(socket, 'close');
          const arrived = await body.catch(() => Buffer.alloc(0));
          expect(arrived.equals(bytes.subarray(0, arrived.length))).to.equal(true);
          expect(arrived.length).to.be.at.most(AFTER);
          expect(passage.truncated).to.equal(1);
          expect(one.ended).to.equal(true);
          expect(calledBack).to.equal(1);
        });
      }

      it(`goes on where the header promises nothing of its length (${how})`, async () => {
        const { socket, region } = regionSocket(pair.accepted, calls);
        promise(socket, 'Connection: close');
        const one = region(shrinking(), 0, SIZE);
        socket.write(resident ? one : stale(one));
        socket.end(TAIL);
        expect(digest(await body)).to.equal(digest(bytes.subarray(0, AFTER), TAIL));
      });
    }
  });

  describe('of a file that cannot be read', () => {
    const failure = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', errno: -5, syscall: 'read' });

    function source(): NonNullable<FileRegion['source']> & { readonly errors: Error[]; destroyed: boolean } {
      const errors: Error[] = [];
      return {
        errors,
        destroyed: false,
        closed: false,
        destroy(error) {
          this.destroyed = true;
          errors.push(error);
          setTimeout(() => Object.assign(this, { closed: true }), 5);
        },
      };
    }

    /** The first piece can be read, and nothing after it. */
    const failing = Object.assign((...args: unknown[]): void => {
      const callback = args.at(-1) as (error: Error | null, bytes: number) => void;
      if (args[4] === 0) Reflect.apply(fs.read, fs, args);
      else setImmediate(callback, failure, 0);
    }, fs.read);

    it('destroys the stream with the error, and sends what follows where nothing was promised', async () => {
      const { socket, region } = regionSocket(pair.accepted, { resident: () => 0 }, { read: failing });
      const stream = source();
      socket.write(stale(region(path, 0, SIZE, stream)));
      socket.end(TAIL);
      const arrived = await body;
      const before = arrived.subarray(0, arrived.length - TAIL.length);
      expect(before.length).to.be.within(1, SIZE - 1);
      expect(digest(arrived)).to.equal(digest(bytes.subarray(0, before.length), TAIL));
      expect(stream.errors).to.deep.equal([failure]);
    });

    it('destroys the stream with the error of a read that did not wait either', async () => {
      const readSync = (): number => {
        throw failure;
      };
      const sendfile = (): number => -os.errno.EINVAL;
      const { socket, region } = regionSocket(pair.accepted, { sendfile }, { readSync });
      const stream = source();
      socket.write(region(path, 0, SIZE, stream));
      socket.end(TAIL);
      expect(digest(await body)).to.equal(digest(TAIL));
      expect(stream.errors).to.deep.equal([failure]);
    });

    it('ends a connection that was promised more, once the stream has told of its error', async () => {
      const { socket, region } = regionSocket(pair.accepted, { resident: () => 0 }, { read: failing });
      Object.assign(socket, { _httpMessage: { _header: `Content-Length: ${SIZE}\r\n` } });
      const stream = source();
      const wasClosed = new Promise((resolve) => socket.once('close', () => resolve(stream.closed)));
      socket.write(stale(region(path, 0, SIZE, stream)));
      socket.end(TAIL);
      expect((await body).includes(TAIL)).to.equal(false);
      expect(await wasClosed).to.equal(true);
      expect(stream.errors).to.deep.equal([failure]);
    });

    it('destroys no stream that is destroyed already', async () => {
      const { socket, region } = regionSocket(pair.accepted, { resident: () => 0 }, { read: failing });
      const stream = source();
      stream.destroyed = true;
      socket.end(stale(region(path, 0, SIZE, stream)));
      await body;
      expect(stream.errors).to.deep.equal([]);
    });
  });

  describe('that the connection does not outlive', () => {
    it('ends its regions and calls back once, when the socket is destroyed while the pool reads', async () => {
      let answer: (() => void) | undefined;
      const read = Object.assign((...args: unknown[]): void => {
        answer = () => Reflect.apply(fs.read, fs, args);
      }, fs.read);
      const { socket, region, passage } = regionSocket(pair.accepted, { resident: () => 0 }, { read });
      const one = stale(region(path, 0, SIZE));
      let calledBack = 0;
      socket.write(one, () => calledBack++);
      expect(answer).not.to.equal(undefined);
      socket.destroy();
      await once(socket, 'close');
      answer?.();
      await until('the region has ended', () => one.ended);
      await turns();
      expect(one.ended).to.equal(true);
      expect(one.transferred).to.equal(0);
      expect(calledBack).to.equal(1);
      expect(passage.copied.size).to.equal(0);
    });

    it('ends its regions, and errs as Node does, when the peer resets it', async () => {
      const { socket, region } = regionSocket(pair.accepted);
      const size = 24 << 20;
      pair.client.pause();
      const one = region(scratch.file('never-all', content(size, 5)), 0, size);
      let calledBack = 0;
      socket.write(one, () => calledBack++);
      expect(one.ended).to.equal(false);
      const errors: Error[] = [];
      socket.on('error', (raised) => errors.push(raised));
      pair.client.resetAndDestroy();
      await new Promise((resolve) => socket.once('close', resolve));
      await new Promise(setImmediate);
      expect(calledBack).to.equal(1);
      expect(errors).to.have.length(1);
      expect(Reflect.get(errors[0] ?? {}, 'code')).to.be.oneOf(['ECONNRESET', 'EPIPE']);
      expect(one.ended).to.equal(true);
      expect(one.transferred).to.be.lessThan(size);
    });

    for (const call of ['sendfile', 'send'] as const) {
      it(`raises what ${call} was told of the connection, which the kernel tells once, as Node’s own write would`, async () => {
        const calls = { [call]: () => -os.errno.ETIMEDOUT };
        const { socket, region, passage } = regionSocket(pair.accepted, calls);
        const one = region(path, 0, SIZE);
        const told: unknown[] = [];
        socket.cork();
        socket.write('head');
        socket.write(one, (cause) => told.push(cause));
        socket.uncork();
        const [error] = await once(socket, 'error');
        expect(error).to.include({ message: 'write ETIMEDOUT', code: 'ETIMEDOUT', syscall: 'write' });
        expect(error.errno).to.equal(-os.errno.ETIMEDOUT);
        expect(told).to.deep.equal([error]);
        expect(one.ended).to.equal(true);
        expect(passage.copied.size).to.equal(0);
      });
    }

    it('sends nothing at all when the socket was destroyed before its turn came', async () => {
      const { socket, region, passage } = regionSocket(pair.accepted);
      const one = region(path, 0, SIZE);
      socket.cork();
      socket.write('x');
      socket.write(one, () => undefined);
      socket.destroy();
      socket.uncork();
      await once(socket, 'close');
      endRegionsOf(socket);
      expect(one.transferred).to.equal(0);
      expect(passage.sendfiles).to.equal(0);
    });
  });

  describe('to a peer that takes all it is given', () => {
    const MEBIBYTE = 1 << 20;

    /** A file that has no bytes on any disk. */
    function sparse(size: number): string {
      const name = scratch.file('sparse', '');
      const fd = openSync(name, 'r+');
      ftruncateSync(fd, size);
      closeSync(fd);
      return name;
    }

    it('leaves the event loop to others after each mebibyte', async () => {
      const sendfile: Sendfile = (_socket, _file, _position, count) => count;
      const { socket, region } = regionSocket(pair.accepted, { sendfile, resident: (_fd, _position, count) => count });
      const one = region(sparse(5 * MEBIBYTE), 0, 5 * MEBIBYTE);
      let calledBack = 0;
      socket.write(one, () => calledBack++);
      const progress: number[] = [];
      while (!one.ended) {
        progress.push(one.transferred / MEBIBYTE);
        await new Promise(setImmediate);
      }
      expect(progress).to.deep.equal([1, 2, 3, 4]);
      expect(one.transferred).to.equal(5 * MEBIBYTE);
      await new Promise(setImmediate);
      expect(calledBack).to.equal(1);
    });

    it('leaves the event loop to others also where it copies', async () => {
      const size = 64 * MEBIBYTE;
      const calls: Partial<FileCalls> = {
        sendfile: () => -os.errno.EINVAL,
        resident: (_fd, _position, count) => count,
      };
      const write: NetSocket['_writeGeneric'] = (_writev, _data, _encoding, callback) => callback();
      const { socket, region } = regionSocket(pair.accepted, calls, { write });
      const one = region(sparse(size), 0, size);
      socket.write(one);
      expect(one.transferred).to.be.within(1, size / 4);
      while (!one.ended) await new Promise(setImmediate);
      expect(one.transferred).to.equal(size);
    });

    it('stops in between when the socket is destroyed', async () => {
      const sendfile: Sendfile = (_socket, _file, _position, count) => count;
      const { socket, region } = regionSocket(pair.accepted, { sendfile, resident: (_fd, _position, count) => count });
      const one = region(sparse(5 * MEBIBYTE), 0, 5 * MEBIBYTE);
      let calledBack = 0;
      socket.write(one, () => calledBack++);
      await new Promise(setImmediate);
      const { transferred } = one;
      socket.destroy();
      await once(socket, 'close');
      await new Promise(setImmediate);
      expect(one.transferred).to.equal(transferred);
      expect(one.ended).to.equal(true);
      expect(calledBack).to.equal(1);
    });
  });

  it('restarts the socket’s timeout as it goes', async () => {
    let restarts = 0;
    const sendfile = sendfileWithFault(0, () => 0);
    const { socket, region } = regionSocket(pair.accepted, { sendfile });
    const original = socket._unrefTimer;
    socket._unrefTimer = function () {
      restarts++;
      return original.call(this);
    };
    socket.write(region(path, 0, SIZE));
    expect(restarts).to.be.at.least(2);
    socket.end();
    expect(digest(await body)).to.equal(digest(bytes));
  });

  it('tells of the progress that a write has made which waits for a full socket, and only of that', async () => {
    const progress: NetSocket[] = [];
    const noteWriteProgress = (of: NetSocket): number => progress.push(of);
    const small = regionSocket(pair.accepted, {}, { noteWriteProgress });
    small.socket.write(small.region(path, 0, 1000));
    expect(progress).to.deep.equal([]);
    const late = await socketPair();
    late.client.pause();
    const { socket, region } = regionSocket(late.accepted, {}, { noteWriteProgress });
    socket.end(region(scratch.file('fills', content(24 << 20, 8)), 0, 24 << 20));
    // It takes several turns of the event loop to fill the socket.
    while (progress.length === 0) await new Promise(setImmediate);
    expect(progress).to.deep.equal([socket]);
    late.client.resume();
    await once(socket, 'finish');
    late.close();
  });

  it('counts as written what went past Node’s handle', async () => {
    let added = 0;
    const addBytesWritten = (_: unknown, amount: number): void => {
      added += amount;
    };
    const sending = regionSocket(pair.accepted, {}, { addBytesWritten });
    await writeAll(sending, true);
    expect(digest(await body)).to.equal(digest(HEAD, bytes, TAIL));
    expect(sending.passage.sent).to.be.greaterThan(0);
    expect(added).to.equal(HEAD.length + sending.passage.sent);
    expect((pair.accepted._handle?.bytesWritten ?? Number.NaN) + added).to.equal(HEAD.length + SIZE + TAIL.length);
  });

  it('reads and writes on a socket that encrypts', async () => {
    const secure = await securePair();
    const { socket, region, passage } = regionSocket(secure.accepted);
    const arrived = received(secure.client);
    socket.write(HEAD);
    socket.write(region(path, 0, SIZE));
    socket.end(TAIL);
    expect(digest(await arrived)).to.equal(digest(HEAD, bytes, TAIL));
    expect([...passage.copied]).to.deep.equal([['not-a-plain-socket', SIZE]]);
    expect(passage.sendfiles).to.equal(0);
    secure.close();
  });

  it('goes over a Unix socket by sendfile', async () => {
    const unix = await socketPair(scratch.path('unix'));
    const { socket, region, passage } = regionSocket(unix.accepted);
    const arrived = received(unix.client);
    socket.end(region(path, 0, SIZE));
    expect(digest(await arrived)).to.equal(digest(bytes));
    expect(passage.sent).to.be.greaterThan(0);
    unix.close();
  });

  function stale(region: FileRegion): FileRegion {
    region.residentAt = 0;
    return region;
  }

  function copiedBytes({ copied }: Passage): number {
    return [...copied.values()].reduce((sum, amount) => sum + amount, 0);
  }
});
