import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { connect, type NetConnectOpts, Socket } from 'node:net';
import { PassThrough, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { closeThreadPipe } from '../../../src/hooks/splice/kernel-pipe.js';
import { spliceHook } from '../../../src/hooks/splice/piped-read.js';
import { ERRNO } from '../../../src/native/errno.js';
import type { Platform, SpliceCalls } from '../../../src/native/platform.js';
import { fdOf } from '../../../src/native/sockets/handle-fd.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content, digest } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { type Relay, realSplicing, relay, splicingPlatform } from '../../support/sockets/piped-pair.js';
import { handleOf, listening, reach, received } from '../../support/sockets/socket-pair.js';
import { turns } from '../../support/turns.js';
import { until } from '../../support/until.js';

/** Several turns of a pair. */
const BULK = content(12 << 20);

describe('a socket that is piped to another', () => {
  const scratch = useScratch();
  let undo: Undo | undefined;
  let ends: Relay;
  let start: { bytes: number; pairs: number; reasons: Map<string, number> };

  const hook = (platform: Platform = splicingPlatform()): void => {
    undo = spliceHook.install(hookContext({}, platform));
    expect(undo, 'the hook').not.to.equal(undefined);
  };

  const spliced = (): number => counters.splicedBytes - start.bytes;
  const reasons = (): string[] =>
    [...counters.notSpliced].filter(([name, amount]) => amount > (start.reasons.get(name) ?? 0)).map(([name]) => name);

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    start = {
      bytes: counters.splicedBytes,
      pairs: counters.splicedPairs,
      reasons: new Map(counters.notSpliced),
    };
    ends = await relay();
  });

  afterEach(() => {
    ends.close();
    undo?.();
    undo = undefined;
    closeThreadPipe();
  });

  /** Bytes are waiting in the kernel, as where a proxy is busy: how much libuv reads is not left to chance. */
  async function sendAhead({ sender, source }: Relay, bytes: Uint8Array): Promise<void> {
    sender.write(bytes);
    await until('more than a buffer waits', () => realSplicing().unread(fdOf(handleOf(source))) > 64 << 10);
  }

  /** Send the last bytes and end. All is expected at the other end. */
  async function expectThrough(ahead: Uint8Array | string, last: Uint8Array | string): Promise<void> {
    const body = received(ends.receiver);
    ends.sender.end(last);
    expect(digest(await body)).to.equal(digest(ahead, last));
  }

  /** Unlike once(), whatever errors come before. */
  function closed(socket: Socket): Promise<void> {
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  it('has its bulk data spliced, in order and to the end', async () => {
    hook();
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    await expectThrough(BULK, 'the end');
    expect(spliced()).to.be.greaterThan(BULK.length / 2);
    expect(counters.splicedPairs - start.pairs).to.equal(1);
    expect(reasons()).to.deep.equal([]);
  });

  it('counts the bytes of both sockets as stock Node does, after they have closed too', async () => {
    hook();
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    await expectThrough(BULK, 'more');
    expect(spliced()).to.be.greaterThan(0);
    expect([ends.source.bytesRead, ends.sink.bytesWritten]).to.deep.equal([BULK.length + 4, BULK.length + 4]);
    ends.close();
    expect([ends.source.bytesRead, ends.sink.bytesWritten]).to.deep.equal([BULK.length + 4, BULK.length + 4]);
  });

  it('costs no call where its messages are small', async () => {
    hook({
      ...splicingPlatform(),
      splicing: () => {
        throw new Error('a call that nobody needs');
      },
    });
    ends.source.pipe(ends.sink);
    for (let index = 0; index < 200; index++) {
      const message = once(ends.receiver, 'data');
      ends.sender.write(content(1000, index + 1));
      expect((await message)[0].equals(content(1000, index + 1))).to.equal(true);
    }
    expect(spliced()).to.equal(0);
  });

  for (const [name, paths] of Object.entries({
    'from Unix to TCP': [scratchPath('a'), undefined],
    'from TCP to Unix': [undefined, scratchPath('b')],
    'from Unix to Unix': [scratchPath('c'), scratchPath('d')],
  } as const)) {
    it(`is spliced ${name}`, async () => {
      ends.close();
      ends = await relay(...paths.map((path) => path?.()));
      hook();
      // A Unix socket holds less than the others: its reader has to be busy while it is filled.
      ends.source.pipe(ends.sink);
      await expectThrough('', BULK);
      expect(ends.source.bytesRead).to.equal(BULK.length);
    });
  }

  function scratchPath(name: string): () => string {
    return () => scratch.path(name);
  }

  it('goes in both directions at once, and to itself', async () => {
    hook();
    ends.source.pipe(ends.sink).pipe(ends.source);
    ends.receiver.pipe(ends.receiver);
    const body = received(ends.sender);
    ends.sender.end(BULK);
    expect(digest(await body)).to.equal(digest(BULK));
    expect(spliced()).to.be.greaterThan(0);
  });

  it('ends like a pipeline', async () => {
    hook();
    await sendAhead(ends, BULK);
    const done = promisify(pipeline)(ends.source, ends.sink);
    await expectThrough(BULK, 'x');
    await done;
    expect(spliced()).to.be.greaterThan(0);
  });

  it('leaves the sink open with `end: false`, for bytes that come after', async () => {
    hook();
    await sendAhead(ends, BULK);
    const body = received(ends.receiver);
    ends.source.pipe(ends.sink, { end: false });
    ends.source.once('end', () => ends.sink.end('after'));
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK, 'after'));
    expect(spliced()).to.be.greaterThan(0);
  });

  it('waits for a sink that takes nothing, keeps little in memory, and goes on', async () => {
    hook();
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    await until('something was spliced', () => spliced() > 0);
    await turns();
    const paused = spliced();
    await turns();
    expect(spliced()).to.equal(paused);
    expect(ends.sink.writableLength).to.be.within(0, 128 << 10);
    await expectThrough(BULK, '');
    expect(spliced()).to.be.greaterThan(paused);
  });

  it('ends in full where the app ends the sink while that is full', async () => {
    hook();
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    await until('the sink is full', () => spliced() > 0 && ends.sink.writableLength > 0);
    ends.source.unpipe(ends.sink);
    const { bytesRead } = ends.source;
    ends.sink.end();
    const [body] = await Promise.all([received(ends.receiver)]);
    expect(digest(body)).to.equal(digest(BULK.subarray(0, bytesRead)));
  });

  const takeovers: Readonly<Record<string, () => void>> = {
    unpiped: () => ends.source.unpipe(ends.sink),
    'cut off, as its sink is destroyed': () => ends.sink.destroy(),
  };
  for (const [name, takeOver] of Object.entries(takeovers)) {
    it(`loses nothing where it is ${name}, and goes on elsewhere`, async () => {
      hook();
      await sendAhead(ends, BULK);
      ends.source.pipe(ends.sink);
      await until('something was spliced', () => spliced() > 0);
      takeOver();
      await until('the pipe is gone', () => ends.source.listenerCount('data') === 0);
      const { bytesRead, readableLength } = ends.source;
      ends.sender.end();
      const rest = digest(await received(ends.source));
      expect(rest).to.equal(digest(BULK.subarray(bytesRead - readableLength)));
    });
  }

  it('tells a listener of its data that comes late all that comes after it', async () => {
    hook();
    await sendAhead(ends, BULK);
    const body = received(ends.receiver);
    ends.source.pipe(ends.sink);
    await until('something was spliced', () => spliced() > 0);
    const at = ends.source.bytesRead;
    const chunks: Buffer[] = [];
    ends.source.on('data', (chunk) => chunks.push(chunk));
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK));
    // One read of Node's may have been under way.
    const heard = Buffer.concat(chunks);
    expect(heard.equals(BULK.subarray(BULK.length - heard.length))).to.equal(true);
    expect(heard.length).to.equal(BULK.length - at);
    expect(reasons()).to.include('other-consumer');
  });

  it('stops while it is paused, and goes on', async () => {
    hook();
    await sendAhead(ends, BULK);
    const body = received(ends.receiver);
    ends.source.pipe(ends.sink);
    await until('something was spliced', () => spliced() > 0);
    ends.source.pause();
    await turns();
    const { bytesWritten } = ends.sink;
    await turns();
    expect(ends.sink.bytesWritten).to.equal(bytesWritten);
    expect(bytesWritten).to.be.lessThan(BULK.length);
    ends.source.resume();
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK));
  });

  it('goes on by Node’s own way once the hook is undone', async () => {
    const original = Reflect.get(Socket.prototype, '_read');
    hook();
    expect(Reflect.get(Socket.prototype, '_read')).not.to.equal(original);
    await sendAhead(ends, BULK);
    const body = received(ends.receiver);
    ends.source.pipe(ends.sink);
    await until('something was spliced', () => spliced() > 0);
    undo?.();
    const atUndo = spliced();
    expect(Reflect.get(Socket.prototype, '_read')).to.equal(original);
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK));
    expect(spliced()).to.equal(atUndo);
  });

  it('runs in the context that stock Node would have', async () => {
    hook();
    const context = new AsyncLocalStorage<string>();
    await sendAhead(ends, BULK);
    const seen: unknown[] = [];
    const body = received(ends.receiver);
    context.run('ours', () => {
      ends.source.pipe(ends.sink);
      ends.source.once('end', () => seen.push(context.getStore()));
    });
    ends.sender.end();
    await body;
    // The handle was made outside.
    expect(seen).to.deep.equal([undefined]);
  });

  it('fails with the error that the kernel reports only once, as a read of Node’s would', async () => {
    hook();
    await sendAhead(ends, BULK);
    const failed = closed(ends.source);
    const errors: NodeJS.ErrnoException[] = [];
    ends.source.on('error', (error) => errors.push(error));
    received(ends.receiver).catch(() => undefined);
    ends.source.pipe(ends.sink);
    await until('something was spliced', () => spliced() > 0);
    ends.sender.resetAndDestroy();
    await failed;
    expect(errors.map(({ code, syscall, errno, message }) => ({ code, syscall, errno, message }))).to.deep.equal([
      { code: 'ECONNRESET', syscall: 'read', errno: -ERRNO.ECONNRESET, message: 'read ECONNRESET' },
    ]);
  });

  const stock: Readonly<Record<string, () => void>> = {
    'other-consumer': () => ends.source.on('data', () => undefined).pipe(ends.sink),
    'no-single-pipe': () => {
      ends.source.pipe(ends.sink);
      ends.source.pipe(new PassThrough().resume());
    },
    'encoding-or-object-mode': () => ends.source.setEncoding('latin1').pipe(ends.sink.setDefaultEncoding('latin1')),
    'flow-is-watched': () => ends.source.on('pause', () => undefined).pipe(ends.sink),
    'not-a-socket': () => {
      const between = new PassThrough();
      ends.source.pipe(between);
      between.pipe(ends.sink);
    },
    'patched-socket': () => {
      const { write } = ends.sink;
      Object.assign(ends.sink, { write: (...args: unknown[]) => Reflect.apply(write, ends.sink, args) });
      ends.source.pipe(ends.sink);
    },
    'patched-stream': () => {
      const { push } = ends.source;
      Object.assign(ends.source, { push: (...args: unknown[]) => Reflect.apply(push, ends.source, args) });
      ends.source.pipe(ends.sink);
    },
    'tls-or-wrapped-socket': () => {
      class Wrapped extends Socket {}
      Object.setPrototypeOf(ends.source, Wrapped.prototype);
      ends.source.pipe(ends.sink);
    },
    unreferenced: () => ends.source.unref().pipe(ends.sink),
  };
  for (const [reason, pipe] of Object.entries(stock)) {
    it(`is left to Node, and counted: ${reason}`, async () => {
      hook();
      await sendAhead(ends, BULK);
      const body = received(ends.receiver);
      pipe();
      ends.sender.end();
      expect(digest(await body)).to.equal(digest(BULK));
      expect(reasons()).to.deep.equal([reason]);
      expect(spliced()).to.equal(0);
    });
  }

  for (const name of ['read', 'pause', 'resume'] as const) {
    it(`is left to Node where the source has a ${name}() of the app's own`, async () => {
      hook();
      let calls = 0;
      const { [name]: original } = ends.source;
      const wrapped = function (this: Socket, ...args: unknown[]): unknown {
        calls++;
        return Reflect.apply(original, this, args);
      };
      Reflect.set(ends.source, name, wrapped);
      await sendAhead(ends, BULK);
      ends.source.pipe(ends.sink);
      await expectThrough(BULK, 'the end');
      expect(calls).to.be.greaterThan(0);
      expect(spliced()).to.equal(0);
      expect(reasons()).to.deep.equal(['patched-socket']);
    });
  }

  it('is left to Node where the app has a buffer of its own for its reads', async () => {
    hook();
    const server = await listening();
    const buffer = Buffer.alloc(1 << 20);
    // It hands on what it has changed.
    const callback = (count: number): boolean => source.push(Buffer.alloc(count, 'x'));
    const source = connect({ ...reach(server), onread: { buffer, callback } } as NetConnectOpts);
    source.pipe(ends.sink);
    const body = received(ends.receiver);
    const [peer] = await once(server, 'connection');
    peer.end(BULK);
    expect(digest(await body)).to.equal(digest(Buffer.alloc(BULK.length, 'x')));
    source.destroy();
    server.close();
    expect(spliced()).to.equal(0);
    expect(reasons()).to.deep.equal(['own-buffer']);
  });

  const faults: Readonly<Record<string, { readonly calls: () => Partial<SpliceCalls>; readonly reason: string }>> = {
    'no descriptor is free': {
      calls: () => ({ openPipe: () => -ERRNO.EMFILE }),
      reason: 'no-kernel-pipe:EMFILE',
    },
    'the source cannot be spliced': {
      calls: () => ({ splice: () => -ERRNO.EINVAL }),
      reason: 'refused:EINVAL',
    },
    'the sink cannot be spliced': {
      calls: () => ({
        splice(from, to, count) {
          return to === fdOf(handleOf(ends.sink)) ? -ERRNO.EINVAL : realSplicing().splice(from, to, count);
        },
      }),
      reason: 'refused:EINVAL',
    },
  };
  for (const [name, { calls, reason }] of Object.entries(faults)) {
    it(`goes through Node in full where ${name}`, async () => {
      hook(splicingPlatform(calls()));
      await sendAhead(ends, BULK);
      ends.source.pipe(ends.sink);
      const body = received(ends.receiver);
      ends.sender.end();
      expect(digest(await body)).to.equal(digest(BULK));
      expect(reasons()).to.deep.equal([reason]);
      expect([ends.source.bytesRead, ends.sink.bytesWritten]).to.deep.equal([BULK.length, BULK.length]);
    });
  }

  it('goes through Node where there are no native calls', async () => {
    hook({ ...splicingPlatform(), splicing: () => undefined });
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    const body = received(ends.receiver);
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK));
    expect(reasons()).to.deep.equal(['no-native-calls']);
  });

  it('arrives in full, whatever splice moves and refuses by turns', async () => {
    let calls = 0;
    hook(
      splicingPlatform({
        splice(from, to, count) {
          calls++;
          // The sink has taken a part of what was read.
          if (to === fdOf(handleOf(ends.sink)) && calls % 3 === 0) return -ERRNO.EAGAIN;
          return realSplicing().splice(from, to, calls % 5 === 1 ? Math.min(count, 1 + calls * 37) : count);
        },
      }),
    );
    await sendAhead(ends, BULK);
    ends.source.pipe(ends.sink);
    const body = received(ends.receiver);
    ends.sender.end();
    expect(digest(await body)).to.equal(digest(BULK));
    expect(calls).to.be.greaterThan(10);
    expect([ends.source.bytesRead, ends.sink.bytesWritten]).to.deep.equal([BULK.length, BULK.length]);
  });

  it('ends the connection, and sends no other bytes, where what is in the pipe cannot be read', async () => {
    const isToSink = (to: number): boolean => to === fdOf(handleOf(ends.sink));
    hook(
      splicingPlatform({
        splice: (from, to, count) => (isToSink(to) ? -ERRNO.EAGAIN : realSplicing().splice(from, to, count)),
        read: () => -ERRNO.EIO,
      }),
    );
    const errors: unknown[] = [];
    ends.sink.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    await sendAhead(ends, BULK);
    const over = closed(ends.sink);
    ends.source.pipe(ends.sink);
    await over;
    expect(errors).to.deep.equal(['EIO']);
  });

  it('fails with a reset that only our splice was told of, as a write of Node’s would', async () => {
    const isToSink = (to: number): boolean => to === fdOf(handleOf(ends.sink));
    hook(
      splicingPlatform({
        splice: (from, to, count) => (isToSink(to) ? -ERRNO.ECONNRESET : realSplicing().splice(from, to, count)),
      }),
    );
    const errors: unknown[] = [];
    ends.sink.on('error', ({ message, code }: NodeJS.ErrnoException) => errors.push([message, code]));
    await sendAhead(ends, BULK);
    const over = closed(ends.sink);
    ends.source.pipe(ends.sink);
    await over;
    expect(errors).to.deep.equal([['write ECONNRESET', 'ECONNRESET']]);
    expect(ends.source.destroyed).to.equal(false);
  });
});
