import { createHook } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { readStreamHook } from '../../../src/hooks/files/read-stream.js';
import { asNetSocket, type NetSocket } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { content, digest } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { securePair } from '../../support/sockets/secure-pair.js';
import { received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { descriptorsLeftOf } from '../../support/test-run/descriptors.js';
import { turns } from '../../support/turns.js';

const LIMITS = { min: 64 << 10, window: 512 << 10 };

/** How often the thread pool was asked for something of `fs` meanwhile. */
async function poolTrips(act: () => Promise<unknown>): Promise<number> {
  let trips = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'FSREQCALLBACK') trips++;
    },
  });
  hook.enable();
  try {
    await act();
  } finally {
    hook.disable();
  }
  return trips;
}

describe('the file of a stream', () => {
  const scratch = useScratch();
  const bytes = content(10_000);
  let pair: SocketPair;
  let path: string;
  let undo: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(async () => {
    undo = readStreamHook.install(hookContext({}, linux(), { sendfile: LIMITS }));
    // The first file of a file system is opened in the thread pool: nothing is known of it yet.
    pair = await socketPair();
    await send(fs.createReadStream(path));
    pair.close();
    pair = await socketPair();
  });

  afterEach(async () => {
    pair.close();
    undo?.();
    expect(await descriptorsLeftOf(path)).to.deep.equal([]);
  });

  async function send(stream: fs.ReadStream): Promise<Buffer> {
    const body = received(pair.client);
    stream.pipe(pair.accepted);
    const [data] = await Promise.all([body, once(stream, 'close')]);
    return data;
  }

  it('is opened, read and closed without the thread pool where it is small', async () => {
    let body: Buffer | undefined;
    const trips = await poolTrips(async () => {
      body = await send(fs.createReadStream(path));
    });
    expect(digest(body ?? '')).to.equal(digest(bytes));
    expect(trips).to.equal(0);
  });

  it('is opened and closed by the thread pool where it is large, which has no need to hurry', async () => {
    const large = content((1 << 20) + 1);
    const name = scratch.file('large', large);
    const trips = await poolTrips(async () => {
      expect(digest(await send(fs.createReadStream(name)))).to.equal(digest(large));
    });
    expect(trips).to.equal(2);
  });

  it('is open on a later turn of the event loop, for an app that comes to listen by then', async () => {
    const stream = fs.createReadStream(path);
    const body = received(pair.client);
    stream.pipe(pair.accepted);
    const seen: string[] = [];
    for (let round = 0; round < 10; round++) await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect([stream.pending, Reflect.get(stream, 'fd')]).to.deep.equal([true, null]);
    stream.on('open', (fd) => seen.push(`open ${fd === Reflect.get(stream, 'fd')} ${stream.pending}`));
    stream.on('ready', () => seen.push('ready'));
    stream.on('end', () => seen.push('end'));
    stream.on('close', () => seen.push(`close ${stream.pending}`));
    await Promise.all([body, once(stream, 'close')]);
    expect(seen).to.deep.equal(['open true false', 'ready', 'end', 'close true']);
  });

  it('is closed where the stream is destroyed before it has heard of its being open', async () => {
    for (const error of [undefined, new Error('changed my mind')]) {
      const stream = fs.createReadStream(path);
      stream.pipe(pair.accepted);
      await new Promise<void>((resolve) => process.nextTick(resolve));
      const failed: unknown[] = [];
      stream.on('error', (failure) => failed.push(failure));
      const closed = new Promise<void>((resolve) => stream.once('close', resolve));
      stream.destroy(error);
      await closed;
      expect(failed).to.deep.equal(error === undefined ? [] : [error]);
      expect(Reflect.get(stream, 'fd')).to.equal(null);
    }
  });

  describe('is opened as ever', () => {
    const unpatched: (() => void)[] = [];
    afterEach(() => {
      for (const restore of unpatched.splice(0)) restore();
    });

    function patch(name: 'open' | 'openSync' | 'close' | 'closeSync'): string[] {
      const calls: string[] = [];
      const original = fs[name];
      const wrapper = (...args: unknown[]): unknown => {
        calls.push(name);
        return Reflect.apply(original, fs, args);
      };
      Reflect.set(fs, name, wrapper);
      unpatched.push(() => Reflect.set(fs, name, original));
      return calls;
    }

    for (const name of ['open', 'close'] as const) {
      it(`where somebody has put a fs.${name} of their own in place`, async () => {
        const calls = patch(name);
        expect(digest(await send(fs.createReadStream(path)))).to.equal(digest(bytes));
        expect(calls).to.deep.equal([name]);
      });

      it(`where somebody watches fs.${name}Sync, and without calling it`, async () => {
        const calls = patch(`${name}Sync`);
        const trips = await poolTrips(async () => {
          expect(digest(await send(fs.createReadStream(path)))).to.equal(digest(bytes));
        });
        expect(calls).to.deep.equal([]);
        expect(trips).to.equal(1);
      });
    }

    it('where the stream has an open() of its own', async () => {
      const stream = fs.createReadStream(path);
      const own = (): void => {
        const fd = fs.openSync(path, 'r');
        Reflect.set(stream, 'fd', fd);
        stream.emit('open', fd);
      };
      Reflect.set(stream, 'open', own);
      expect(digest(await send(stream))).to.equal(digest(bytes));
    });

    const elsewhere = (stream: fs.ReadStream): unknown => stream.pipe(new PassThrough()).resume();
    const WAYS: Readonly<Record<string, (to: NetSocket) => Promise<fs.ReadStream> | fs.ReadStream>> = {
      'where its path is no text': (to) => {
        const stream = fs.createReadStream(Buffer.from(path));
        stream.pipe(to);
        return stream;
      },
      'where it is not piped yet': () => fs.createReadStream(path),
      'where it is piped to something else': () => {
        const stream = fs.createReadStream(path);
        elsewhere(stream);
        return stream;
      },
      'where it is piped twice': (to) => {
        const stream = fs.createReadStream(path);
        stream.pipe(to);
        elsewhere(stream);
        return stream;
      },
      'where the connection is TLS': async () => {
        const { accepted } = await securePair();
        const stream = fs.createReadStream(path);
        stream.pipe(accepted);
        stream.once('close', () => accepted.destroy());
        return stream;
      },
    };
    for (const [title, begin] of Object.entries(WAYS)) {
      it(title, async () => {
        const trips = await poolTrips(async () => {
          const stream = await begin(asNetSocket(pair.accepted));
          stream.once('open', () => stream.destroy());
          await once(stream, 'close');
        });
        expect(trips).to.be.at.least(2);
      });
    }

    it('where it is a FIFO, whose writer is waited for', async () => {
      const fifo = scratch.path('fifo');
      execFileSync('mkfifo', [fifo]);
      const stream = fs.createReadStream(fifo);
      const body = send(stream);
      await turns();
      fs.createWriteStream(fifo).end('from the writer');
      expect(String(await body)).to.equal('from the writer');
    });

    it('where it does not exist, or is a directory', async () => {
      for (const [name, code] of [
        [scratch.path('none'), 'ENOENT'],
        [scratch.path('.'), 'EISDIR'],
      ] as const) {
        const stream = fs.createReadStream(name);
        stream.pipe(pair.accepted, { end: false });
        const [error] = await once(stream, 'error');
        expect(error.code).to.equal(code);
      }
    });

    it('once the hook is undone, also what was created before', async () => {
      const stream = fs.createReadStream(path);
      undo?.();
      undo = undefined;
      const trips = await poolTrips(async () => {
        expect(digest(await send(stream))).to.equal(digest(bytes));
      });
      expect(trips).to.be.at.least(3);
    });
  });

  it('is closed by the thread pool where Node itself has read from it', async () => {
    const stream = fs.createReadStream(path, { highWaterMark: 1000 });
    const trips = await poolTrips(async () => {
      stream.pipe(pair.accepted);
      stream.on('data', () => undefined);
      await once(stream, 'close');
    });
    expect(trips).to.be.at.least(2);
  });

  it('is told of what closing it has failed with', async () => {
    const stream = fs.createReadStream(path);
    stream.pipe(pair.accepted, { end: false });
    let open = -1;
    stream.once('open', (fd) => {
      open = fd;
    });
    // Somebody else closes it, and the number is nobody's.
    stream.once('end', () => fs.closeSync(open));
    const [error] = await once(stream, 'error');
    expect(error.code).to.equal('EBADF');
  });
});
