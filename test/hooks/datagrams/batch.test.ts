import { AsyncLocalStorage } from 'node:async_hooks';
import dgram, { type Socket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { makeHooks } from '../../../src/hooks/index.js';
import type { Platform, SegmentCalls } from '../../../src/native/platform.js';
import { type DatagramHandle, datagramHandle, datagramPrototype } from '../../../src/node/dgram.js';
import { batchRecord } from '../../../src/report/socket-record.js';
import { hookContext, observedPlatform } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';

const { EAGAIN, ECONNREFUSED, EINVAL, EIO, EMSGSIZE, ENETUNREACH } = constants.errno;

/** A call that sent a batch. */
interface Batch {
  readonly count: number;
  readonly segment: number;
  readonly port: number;
  readonly errno: number;
}

/** What the app was told of its sends, in order. */
type Told = [name: unknown, error: unknown, bytes: unknown][];

function asError(value: unknown): NodeJS.ErrnoException {
  if (value instanceof Error) return value;
  throw new Error(`no error: ${String(value)}`);
}

describe('datagrams of one tick', () => {
  let receiver: Socket;
  let port: number;
  let received: string[];
  const sockets: Socket[] = [];
  let undo: () => void = () => undefined;
  let batches: Batch[];
  /** Errors for the next batches, in place of the kernel's answer. */
  let refusals: number[];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    batches = [];
    refusals = [];
    received = [];
    receiver = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    receiver.on('message', (message) => received.push(String(message)));
    ({ port } = receiver.address());
  });

  afterEach(() => {
    undo();
    undo = () => undefined;
    for (const socket of sockets.splice(0)) if (datagramHandle(socket) !== undefined) socket.close();
  });

  async function bound(socket: Socket, address?: string): Promise<Socket> {
    sockets.push(socket);
    socket.bind(0, address);
    await once(socket, 'listening');
    return socket;
  }

  function watched(calls: SegmentCalls): SegmentCalls {
    return {
      ...calls,
      sendSegments(fd, bytes, segment, to, address) {
        const errno = refusals.shift() ?? calls.sendSegments(fd, bytes, segment, to, address);
        batches.push({ count: Math.ceil(bytes / segment), segment, port: to, errno });
        return errno;
      },
    };
  }

  /** The hook with the kernel, and notes of what leaves by it. */
  function install(overrides: Partial<Platform> = {}): void {
    const calls = linux().segments();
    if (calls === undefined) throw new Error('no such calls here');
    const platform = observedPlatform({ segments: () => watched(calls), ...overrides });
    const hooks = makeHooks(hookContext({}, platform, { batchesDatagrams: true }));
    undo = () => hooks.undo();
    const socket = dgram.createSocket('udp4');
    sockets.push(socket);
    hooks.forDatagrams(socket);
  }

  async function tuned(address = '127.0.0.1', type: 'udp4' | 'udp6' = 'udp4'): Promise<Socket> {
    install();
    return await bound(dgram.createSocket(type), address);
  }

  async function connected(): Promise<Socket> {
    const socket = await tuned();
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  async function arrived(count: number): Promise<void> {
    for (let turn = 0; received.length < count && turn < 2000; turn++) await nextTurn();
    expect(received).to.have.length(count);
  }

  function names(count: number): string[] {
    return Array.from({ length: count }, (_, index) => `datagram ${String(index).padStart(3, '0')}`);
  }

  /** Sends them, and notes what the app is told. */
  async function sendAll(socket: Socket, texts: readonly string[], to: unknown[] = [port, '127.0.0.1']): Promise<Told> {
    const told: Told = [];
    await new Promise<void>((resolve) => {
      for (const text of texts) {
        const callback = (error: unknown, bytes: unknown): void => {
          told.push([text, error, bytes]);
          if (told.length === texts.length) resolve();
        };
        Reflect.apply(socket.send, socket, [text, ...to, callback]);
      }
    });
    return told;
  }

  function sent(texts: readonly string[]): Told {
    return texts.map((text) => [text, null, text.length]);
  }

  it('leave by a call each without the hook', async () => {
    const socket = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    expect(await sendAll(socket, names(32))).to.deep.equal(sent(names(32)));
    await arrived(32);
    expect(batches).to.be.empty;
  });

  it('leave by one call, and are called back and received one by one', async () => {
    const socket = await tuned();
    const before = { ...batchRecord };
    expect(await sendAll(socket, names(32))).to.deep.equal(sent(names(32)));
    await arrived(32);
    expect(received).to.deep.equal(names(32));
    expect(batches).to.deep.equal([{ count: 32, segment: 12, port, errno: 0 }]);
    expect(batchRecord).to.deep.equal({ ...before, datagrams: before.datagrams + 32, sends: before.sends + 1 });
  });

  it('leave by one call from a connected socket', async () => {
    const socket = await connected();
    expect(await sendAll(socket, names(32), [])).to.deep.equal(sent(names(32)));
    await arrived(32);
    expect(batches).to.deep.equal([{ count: 32, segment: 12, port: 0, errno: 0 }]);
  });

  it('leave by one call without callbacks, and from lists of buffers', async () => {
    const socket = await tuned();
    for (const name of names(10)) socket.send([name.slice(0, 4), Buffer.from(name.slice(4))], port, '127.0.0.1');
    await arrived(10);
    expect(received).to.deep.equal(names(10));
    expect(batches.map(({ count }) => count)).to.deep.equal([10]);
  });

  it('leave by one call as udp6, from the first socket of the process too', async () => {
    const six = await bound(dgram.createSocket('udp6'), '::1');
    six.on('message', (message) => received.push(String(message)));
    const calls = linux().segments();
    if (calls === undefined) throw new Error('no such calls here');
    const hooks = makeHooks(
      hookContext({}, observedPlatform({ segments: () => watched(calls) }), { batchesDatagrams: true }),
    );
    undo = () => hooks.undo();
    const first = dgram.createSocket('udp6');
    const own = datagramHandle(first)?.send;
    hooks.forDatagrams(first);
    expect(datagramHandle(first)?.send).not.to.equal(own);
    for (const socket of [first, dgram.createSocket('udp6')]) {
      await bound(socket, '::1');
      await sendAll(socket, names(5), [six.address().port, '::1']);
    }
    await arrived(10);
    expect(batches.map(({ count }) => count)).to.deep.equal([5, 5]);
    hooks.undo();
    expect(datagramHandle(first)?.send).to.equal(own);
  });

  it('are cut where the place or the size is another, the last may be shorter, and 64 or 64 KiB are full', async () => {
    const socket = await tuned();
    const other = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    const elsewhere: string[] = [];
    other.on('message', (message) => elsewhere.push(String(message)));
    const send = (text: string, to = port): void => socket.send(text, to, '127.0.0.1');
    for (const text of ['aaaa', 'bbbb', 'cc', 'dddd', 'eeee']) send(text);
    for (const text of ['f', 'g']) send(text, other.address().port);
    for (const text of ['hh', 'iii', 'jjj']) send(text);
    await arrived(8);
    expect(received).to.deep.equal(['aaaa', 'bbbb', 'cc', 'dddd', 'eeee', 'hh', 'iii', 'jjj']);
    expect(elsewhere).to.deep.equal(['f', 'g']);
    expect(batches.map(({ count, segment }) => [count, segment])).to.deep.equal([
      [3, 4],
      [2, 4],
      [2, 1],
      [2, 3],
    ]);
    batches = [];
    await sendAll(socket, names(130));
    expect(batches.map(({ count }) => count)).to.deep.equal([64, 64, 2]);
    batches = [];
    await sendAll(
      socket,
      Array.from({ length: 60 }, () => 'x'.repeat(1200)),
    );
    expect(batches.map(({ count }) => count)).to.deep.equal([54, 6]);
  });

  it('leave in the order of the sends, whatever their sizes, sockets and places', async () => {
    const socket = await tuned();
    const second = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    const expected: string[] = [];
    for (let index = 0; index < 100; index++) {
      const text = `${index} `.padEnd(5 + (index % 3 === 0 ? 1 : 0) + (index % 10 === 9 ? 600 : 0));
      expected.push(text);
      (index % 7 < 5 ? socket : second).send(text, port, '127.0.0.1');
    }
    await arrived(100);
    expect(received).to.deep.equal(expected);
    expect(batches).not.to.be.empty;
  });

  it('leave by themselves where one is empty, oversized, or no bytes', async () => {
    const socket = await tuned();
    const told: unknown[] = [];
    const note = (error: unknown, bytes: unknown): void => {
      told.push(error === null ? bytes : asError(error).code);
    };
    socket.send('ab', port, '127.0.0.1', note);
    socket.send('', port, '127.0.0.1', note);
    socket.send(Buffer.alloc(70_000), port, '127.0.0.1', note);
    socket.send(new DataView(Uint8Array.of(99, 100).buffer), port, '127.0.0.1', note);
    socket.send(new Uint16Array(1), port, '127.0.0.1', note);
    socket.send([], port, '127.0.0.1', note);
    await arrived(5);
    expect(received).to.deep.equal(['ab', '', 'cd', '\0\0', '']);
    for (let turn = 0; told.length < 6 && turn < 100; turn++) await nextTurn();
    expect(told).to.deep.equal([2, 0, 'EMSGSIZE', 2, 2, 0]);
    expect(batches).to.be.empty;
  });

  it('are as they were at send(), though the app uses the buffer again at once', async () => {
    const socket = await connected();
    const buffer = Buffer.alloc(4);
    for (const letter of 'abcd') socket.send(buffer.fill(letter));
    await arrived(4);
    expect(received).to.deep.equal(['aaaa', 'bbbb', 'cccc', 'dddd']);
    expect(batches.map(({ count }) => count)).to.deep.equal([4]);
  });

  const BY_THEMSELVES: Readonly<Record<string, readonly number[]>> = {
    'of sizes that do not fit together': [],
    'that the kernel refuses as a batch': [EMSGSIZE],
    'of a socket that is full at the moment': [EAGAIN],
  };
  for (const [which, errnos] of Object.entries(BY_THEMSELVES)) {
    it(`are as they were at send(), if each leaves by itself: ${which}`, async () => {
      const socket = await connected();
      refusals = [...errnos];
      const sizes = errnos.length === 0 ? [1, 2, 3, 4] : [3, 3, 3, 3];
      const buffer = Buffer.alloc(4);
      for (const [index, size] of sizes.entries()) socket.send(buffer.fill('abcd'.charAt(index)).subarray(0, size));
      buffer.fill('!');
      await arrived(4);
      expect(received).to.deep.equal(sizes.map((size, index) => 'abcd'.charAt(index).repeat(size)));
      expect(batches.map(({ errno }) => errno)).to.deep.equal(errnos);
    });
  }

  it('are told of a port where nobody listens as in stock Node, and there is no event', async () => {
    const gone = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    const { port: closedPort } = gone.address();
    gone.close();
    const told: string[][] = [];
    const events: unknown[] = [];
    for (const isTuned of [false, true]) {
      const socket = isTuned ? await tuned() : await bound(dgram.createSocket('udp4'), '127.0.0.1');
      socket.on('error', (error) => events.push(error));
      await new Promise<void>((resolve) => socket.connect(closedPort, '127.0.0.1', resolve));
      const answers = await sendAll(socket, names(6), []);
      told.push(answers.map(([, error]) => (error === null ? 'sent' : String(asError(error).code))));
      await nextTurn();
    }
    expect(told[1]).to.deep.equal(told[0]).and.to.include('ECONNREFUSED');
    expect(events).to.be.empty;
    expect(batches.map(({ count }) => count)).to.deep.equal([6]);
  });

  it('leave together where the number of listeners has no limit', async () => {
    const most = process.getMaxListeners();
    process.setMaxListeners(0);
    try {
      await sendAll(await tuned(), names(8));
    } finally {
      process.setMaxListeners(most);
    }
    expect(batches.map(({ count }) => count)).to.deep.equal([8]);
  });

  it('leave before any other call on their socket, and before it is closed', async () => {
    const socket = await connected();
    socket.send('one');
    socket.send('two');
    expect(batches).to.be.empty;
    socket.setTTL(7);
    expect(batches.map(({ count }) => count)).to.deep.equal([2]);
    socket.send('3aa');
    socket.send('4aa');
    expect(socket.getSendQueueSize()).to.equal(0);
    expect(batches).to.have.length(2);
    socket.send('5aa');
    socket.send('6aa');
    socket.close();
    expect(batches).to.have.length(3);
    await arrived(6);
    expect(received).to.deep.equal(['one', 'two', '3aa', '4aa', '5aa', '6aa']);
  });

  it('leave before the first callback, and each callback has the async context of its send', async () => {
    const socket = await connected();
    const storage = new AsyncLocalStorage<number>();
    const order: unknown[] = [];
    for (const index of [0, 1, 2]) {
      storage.run(index, () => {
        socket.send(`number ${index}`, function (this: unknown, ...args) {
          order.push([index, storage.getStore(), batches.length, args, this === undefined]);
        });
        process.nextTick(() => order.push(['tick', index]));
      });
    }
    await arrived(3);
    const told = (index: number): unknown => [index, index, 1, [null, 8], true];
    expect(order).to.deep.equal([told(0), ['tick', 0], told(1), ['tick', 1], told(2), ['tick', 2]]);
  });

  it('have no frame of ours in the stack of a callback', async () => {
    const socket = await connected();
    const stacks: string[] = [];
    for (const text of ['one', 'two']) socket.send(text, () => stacks.push(new Error('here').stack ?? ''));
    await arrived(2);
    expect(stacks).to.have.length(2);
    for (const stack of stacks) {
      const frames = stack.split('\n').slice(1);
      expect(frames[0]).to.include('batch.test');
      expect(frames[1]).to.include('node:internal/process/task_queues');
    }
  });

  for (const [name, errno] of Object.entries({ EIO, EINVAL, EMSGSIZE })) {
    it(`leave one by one from a socket that was refused a batch with ${name}, and from no other`, async () => {
      const socket = await tuned();
      const before = batchRecord.refusedSockets;
      refusals = [errno];
      expect(await sendAll(socket, names(8))).to.deep.equal(sent(names(8)));
      expect(await sendAll(socket, names(8))).to.deep.equal(sent(names(8)));
      await arrived(16);
      expect(received).to.deep.equal([...names(8), ...names(8)]);
      expect(batches.map((batch) => batch.errno)).to.deep.equal([errno]);
      expect(batchRecord.refusedSockets).to.equal(before + 1);
      const other = await bound(dgram.createSocket('udp4'), '127.0.0.1');
      await sendAll(other, names(8));
      expect(batches).to.have.length(2);
    });
  }

  it('are sent one by one where the socket is full at the moment, and together again later', async () => {
    const socket = await tuned();
    refusals = [EAGAIN];
    expect(await sendAll(socket, names(8))).to.deep.equal(sent(names(8)));
    await sendAll(socket, names(8));
    await arrived(16);
    expect(batches.map((batch) => batch.errno)).to.deep.equal([EAGAIN, 0]);
  });

  it('have the error that the kernel tells once at the first of them', async () => {
    const socket = await tuned();
    refusals = [ECONNREFUSED];
    const [first, ...others] = await sendAll(socket, names(4));
    const error = first?.[1];
    expect(error).to.be.instanceOf(Error);
    expect({ ...asError(error) }).to.include({ code: 'ECONNREFUSED', syscall: 'send', address: '127.0.0.1', port });
    expect(first?.[2]).to.equal(undefined);
    expect(others).to.deep.equal(sent(names(4).slice(1)));
    await arrived(3);
  });

  it('have each the error that stock Node has, with its fields', async () => {
    const socket = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    // From loopback there is no way to such an address.
    const place = [9, '203.0.113.1'];
    const stock = await sendAll(socket, names(4), place);
    const tunedSocket = await tuned();
    const own = await sendAll(tunedSocket, names(4), place);
    const words = (told: Told): unknown => told.map(([, error]) => [String(error), { ...asError(error) }]);
    expect(stock.every(([, error]) => error instanceof Error)).to.equal(true);
    expect(words(own)).to.deep.equal(words(stock));
    expect(batches).to.have.length(1);
    for (const [, error] of own) expect(asError(error).stack).not.to.match(/socket-tune|batch|flush/);
  });

  it('bring no error event without a callback', async () => {
    const socket = await tuned();
    const errors: unknown[] = [];
    socket.on('error', (error) => errors.push(error));
    refusals = [ENETUNREACH];
    for (const name of names(3)) socket.send(name, port, '127.0.0.1');
    await arrived(2);
    expect(received).to.deep.equal(names(3).slice(1));
    expect(errors).to.be.empty;
  });

  it('are never gathered where the kernel does not know such batches: it would send them as one', async () => {
    install({ get: () => constants.errno.ENOPROTOOPT });
    const socket = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    await sendAll(socket, names(5));
    await arrived(5);
    expect(received).to.deep.equal(names(5));
    expect(batches).to.be.empty;
  });

  it('have an exit listener only while they wait', async () => {
    const socket = await connected();
    const before = process.listenerCount('exit');
    socket.send('one');
    socket.send('two');
    expect(process.listenerCount('exit')).to.equal(before + 1);
    await arrived(2);
    expect(process.listenerCount('exit')).to.equal(before);
  });

  it('are not held back where a tick has one: nearly all leave at once', async () => {
    const socket = await connected();
    let atOnce = 0;
    const handle = datagramHandle(socket);
    for (let index = 0; index < 200; index++) {
      const before = process.listenerCount('exit');
      socket.send('x');
      if (process.listenerCount('exit') === before) atOnce++;
      await nextTurn();
    }
    await arrived(200);
    expect(batches).to.be.empty;
    expect(atOnce).to.be.greaterThan(180).and.to.be.lessThan(200);
    // A burst is noticed again, after a while.
    for (let round = 0; round < 10; round++) {
      for (let index = 0; index < 32; index++) socket.send('x');
      await nextTurn();
    }
    expect(batches.length).to.be.greaterThan(5);
    expect(handle).not.to.equal(undefined);
  });

  it('go the way of stock Node once all is taken back', async () => {
    const socket = await connected();
    socket.send('one');
    socket.send('two');
    undo();
    undo = () => undefined;
    expect(batches).to.have.length(1);
    await sendAll(socket, names(5), []);
    await arrived(7);
    expect(batches).to.have.length(1);
  });

  it('are left to Node where somebody else has replaced the sends, and patch nothing unless asked for', () => {
    const socket = dgram.createSocket('udp4');
    sockets.push(socket);
    const prototype = datagramPrototype(socket);
    if (prototype === undefined) throw new Error('no handle');
    const own = Object.getOwnPropertyDescriptors(prototype);
    const hooks = makeHooks(hookContext({}, linux(), {}));
    hooks.forDatagrams(socket);
    expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(own);
    const wrapper = function (this: DatagramHandle, ...args: Parameters<DatagramHandle['send']>): number {
      return prototype.send6.apply(this, args);
    };
    Reflect.set(prototype, 'send', wrapper);
    try {
      install();
      expect(prototype.send).to.equal(wrapper);
    } finally {
      Object.defineProperty(prototype, 'send', own.send as PropertyDescriptor);
    }
    install();
    expect(prototype.send).not.to.equal(own.send?.value);
    expect([prototype.send.name, prototype.send.length]).to.deep.equal(['send', 0]);
    undo();
    undo = () => undefined;
    expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(own);
  });
});
