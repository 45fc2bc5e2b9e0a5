import { once } from 'node:events';
import fs from 'node:fs';
import type { ServerResponse } from 'node:http';
import https from 'node:https';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { readStreamHook } from '../../../src/hooks/files/read-stream.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content, digest } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { SHARED_KEY, SHARED_KEY_CLIENT, securePair } from '../../support/sockets/secure-pair.js';
import { listening, reach, received } from '../../support/sockets/socket-pair.js';
import { until, untilFound } from '../../support/until.js';

const SIZE = 1_500_000;
/** More than the kernel holds for a client that does not read. */
const LARGE = 16 << 20;
const LIMITS = { min: 1000, window: 100_000 };

function encryptedBytes(): number {
  return counters.copiedBytes.get('encrypted') ?? 0;
}

describe('a file stream to a socket that encrypts', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  let path: string;
  let undo: Undo | undefined;
  let encryptedBefore: number;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(() => {
    encryptedBefore = encryptedBytes();
    undo = readStreamHook.install(hookContext({}, linux(), { sendfile: LIMITS }));
  });

  afterEach(() => undo?.());

  /** Bodies of responses of one server, all at the same time. */
  async function served(answer: (response: ServerResponse) => void, clients = 1): Promise<Buffer[]> {
    const server = https.createServer(SHARED_KEY, (_, response) => answer(response));
    await listening(server);
    const agent = new https.Agent({ keepAlive: true, ...SHARED_KEY_CLIENT });
    const get = async (): Promise<Buffer> => {
      const [response] = await once(https.get({ ...reach(server), agent }), 'response');
      return received(response);
    };
    const bodies = await Promise.all(Array.from({ length: clients }, get));
    agent.destroy();
    server.close();
    return bodies;
  }

  const pipe = (response: ServerResponse): void => {
    fs.createReadStream(path).pipe(response);
  };

  const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
    'in chunks': pipe,
    'of a declared length': (response) => {
      response.setHeader('content-length', SIZE);
      pipe(response);
    },
    'behind bytes of its own': (response) => {
      response.write('');
      pipe(response);
    },
    'that is corked for some time': (response) => {
      response.cork();
      pipe(response);
      setTimeout(() => response.uncork(), 20);
    },
  };
  for (const [how, answer] of Object.entries(ANSWERS)) {
    for (const clients of [1, 12]) {
      it(`arrives whole by a response ${how}, ${clients} at a time`, async () => {
        for (const body of await served(answer, clients)) expect(digest(body)).to.equal(digest(bytes));
        expect(encryptedBytes()).to.be.greaterThan(encryptedBefore);
      });
    }
  }

  it('needs no buffers of Node, however many clients there are at a time', async () => {
    const clients = 12;
    await served(pipe, clients);
    // Where a chunk had to wait for its turn, Node has read it.
    expect(encryptedBytes() - encryptedBefore).to.be.greaterThan(0.8 * SIZE * clients);
  });

  it('needs no buffers of Node while other clients do not read', async () => {
    const large = scratch.file('large', content(LARGE));
    const idle = await Promise.all(Array.from({ length: 6 }, () => securePair()));
    for (const { accepted, client } of idle) {
      accepted.on('error', () => undefined);
      client.pause();
      fs.createReadStream(large).pipe(accepted);
    }
    await until('all are full', () => idle.every(({ accepted }) => accepted.writableNeedDrain));
    const before = encryptedBytes();
    const [body = Buffer.alloc(0)] = await served(pipe);
    expect(digest(body)).to.equal(digest(bytes));
    expect(encryptedBytes() - before).to.be.greaterThan(0.8 * SIZE);
    for (const pair of idle) pair.close();
  });

  it('arrives whole by a socket whose peer stops reading now and then', async () => {
    const pair = await securePair();
    const chunks: Buffer[] = [];
    pair.client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      pair.client.pause();
      setTimeout(() => pair.client.resume(), 1);
    });
    fs.createReadStream(path).pipe(pair.accepted);
    await once(pair.client, 'end');
    expect(digest(...chunks)).to.equal(digest(bytes));
    expect(encryptedBytes()).to.be.greaterThan(encryptedBefore);
    pair.close();
  });

  it("has its next bytes for a 'readable' listener that comes while the client does not read", async () => {
    const pair = await securePair();
    pair.client.pause();
    const large = content(LARGE);
    const stream = fs.createReadStream(scratch.file('large', large));
    stream.pipe(pair.accepted);
    await until('the socket is full', () => pair.accepted.writableNeedDrain);
    const next = new Promise<Buffer>((resolve) => stream.on('readable', () => resolve(stream.read())));
    const chunk = await next;
    expect(chunk.length).to.be.greaterThan(0);
    expect(large.includes(chunk)).to.equal(true);
    stream.destroy();
    pair.close();
  });

  const HAND_OVERS: Readonly<Record<string, (stream: fs.ReadStream, response: ServerResponse) => void>> = {
    "unpiped, to a 'readable' listener": (stream, response) => {
      stream.unpipe(response);
      stream.on('readable', () => {
        for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) response.write(chunk);
      });
      stream.on('end', () => response.end());
    },
    'unpiped, to an iterator': (stream, response) => {
      stream.unpipe(response);
      void (async () => {
        for await (const chunk of stream) response.write(chunk);
        response.end();
      })();
    },
    'that the app pauses, and resumes when it is readable': (stream) => {
      stream.pause();
      stream.once('readable', () => stream.resume());
    },
    'that the app pauses for a while': (stream) => {
      stream.pause();
      setTimeout(() => stream.resume(), 50);
    },
  };
  for (const [how, handOver] of Object.entries(HAND_OVERS)) {
    it(`arrives whole by a stream ${how}`, async () => {
      const large = content(LARGE);
      const file = scratch.file('large', large);
      const [body = Buffer.alloc(0)] = await served((response) => {
        const stream = fs.createReadStream(file);
        stream.pipe(response);
        void until('a part is sent', () => stream.bytesRead > SIZE).then(() => handOver(stream, response));
      });
      expect(digest(body)).to.equal(digest(large));
    });
  }

  it('can be read by hand while the app has paused it', async () => {
    const pair = await securePair();
    pair.client.resume();
    const large = content(LARGE);
    const stream = fs.createReadStream(scratch.file('large', large));
    stream.pipe(pair.accepted);
    await until('a part is sent', () => stream.bytesRead > SIZE && !pair.accepted.writableNeedDrain);
    stream.pause();
    const chunk = await untilFound('a chunk', () => (stream.read() as Buffer | null) ?? undefined);
    expect(large.includes(chunk)).to.equal(true);
    stream.destroy();
    pair.close();
  });

  it('is in memory of its own while a response or socket holds it, as somebody may replace their methods meanwhile', async () => {
    const mine = scratch.file('mine', content(60_000, 7));
    const isMine = digest(content(60_000, 7));
    let isHeld: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    let hasReleased = false;
    const first = served((response) => {
      response.flushHeaders();
      response.cork();
      response.socket?.cork();
      const { socket } = response;
      fs.createReadStream(mine).pipe(response, { end: false });
      void until('it is held', () => response.writableLength >= 60_000).then(async () => {
        if (socket === null) return;
        const writev: unknown = Reflect.get(socket, '_writev');
        // What an agent might do: it writes later.
        Reflect.set(socket, '_writev', function (this: unknown, ...args: unknown[]): void {
          void until('others were served', () => hasReleased).then(() =>
            Reflect.apply(writev as () => void, this, args),
          );
        });
        response.uncork();
        socket.uncork();
        isHeld();
        await until('others were served', () => hasReleased);
        response.end();
      });
    });
    await held;
    await served(pipe, 4);
    hasReleased = true;
    const [body = Buffer.alloc(0)] = await first;
    expect(digest(body)).to.equal(isMine);
  });

  it('ends within the turn of its last bytes, before their client can say anything', async () => {
    const small = scratch.file('small', content(1000));
    const pair = await securePair();
    pair.client.resume();
    const stream = fs.createReadStream(small);
    stream.pipe(pair.accepted);
    while (stream.bytesRead < 1000) await nextTurn();
    expect(Reflect.get(Reflect.get(stream, '_readableState'), 'ended')).to.equal(true);
    pair.close();
  });

  it('is counted as a stream that is not rerouted, once', async () => {
    const reason = 'tls-or-wrapped-socket';
    const before = counters.notRerouted.get(reason) ?? 0;
    await served(pipe);
    expect(counters.notRerouted.get(reason)).to.equal(before + 1);
  });

  it('comes in chunks that stay as they are to whoever keeps them', async () => {
    const kept: Buffer[] = [];
    const keep = (target: object): void => {
      const original: unknown = Reflect.get(target, 'write');
      Reflect.set(target, 'write', function (this: unknown, chunk: unknown, ...rest: unknown[]): unknown {
        if (Buffer.isBuffer(chunk)) kept.push(chunk);
        return typeof original === 'function' ? Reflect.apply(original, this, [chunk, ...rest]) : undefined;
      });
    };
    const keepers: readonly ((response: ServerResponse) => object | null)[] = [
      (response) => response,
      (response) => response.socket,
    ];
    for (const target of keepers) {
      kept.length = 0;
      const [body = Buffer.alloc(0)] = await served((response) => {
        response.setHeader('content-length', SIZE);
        response.flushHeaders();
        keep(target(response) ?? {});
        pipe(response);
      });
      expect(digest(body)).to.equal(digest(bytes));
      // Hashed at the end: a buffer that was used again too early would show.
      expect(digest(...kept)).to.equal(digest(bytes));
    }
  });

  it('goes on in other streams where a client leaves', async () => {
    const pair = await securePair();
    pair.accepted.on('error', () => undefined);
    const stream = fs.createReadStream(path);
    stream.pipe(pair.accepted);
    await once(pair.client, 'readable');
    pair.client.destroy();
    await new Promise((resolve) => pair.accepted.on('close', resolve));
    stream.destroy();
    const [body = Buffer.alloc(0)] = await served(pipe);
    expect(digest(body)).to.equal(digest(bytes));
    pair.close();
  });

  it('is read by Node alone where fs is not to be answered inline', async () => {
    undo?.();
    undo = readStreamHook.install(hookContext({}, linux(), { sendfile: LIMITS, answersFs: false }));
    const [body = Buffer.alloc(0)] = await served(pipe);
    expect(digest(body)).to.equal(digest(bytes));
    expect(encryptedBytes()).to.equal(encryptedBefore);
  });
});
