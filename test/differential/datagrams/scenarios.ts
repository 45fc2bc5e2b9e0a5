import dgram, { type Socket } from 'node:dgram';
import type dns from 'node:dns';
import { once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Recorder } from '../harness/recorder.js';
import type { Scenario } from '../harness/scenario.js';
import { errorWords } from '../outgoing/conversation.js';

/** What a scenario works with. */
interface Place {
  /** Bound, and connected if that is asked for. */
  readonly socket: Socket;
  /** Two receivers on loopback. */
  readonly port: number;
  readonly otherPort: number;
  /** Note something, in the order in which all happens. */
  log(...words: readonly unknown[]): void;
  /** Note a datagram that has come: when, is a matter of the kernel and the machine's other work. */
  received(who: string, text: string): void;
  /** Act in an async context with a name, which is noted with what happens in it. */
  within(name: string, act: () => void): void;
  /** A callback that is noted. */
  told(name: string): (error: Error | null, bytes?: number) => void;
}

type Act = (place: Place) => unknown;

interface Script {
  readonly act: Act;
  readonly connected: boolean;
  readonly type: 'udp4' | 'udp6';
}

const LOOPBACK = '127.0.0.1';

function texts(count: number, size = 20): string[] {
  return Array.from({ length: count }, (_, index) => `number ${index}`.padEnd(size, '.'));
}

function fromAny(act: Act): Script {
  return { act, connected: false, type: 'udp4' };
}

function fromConnected(act: Act): Script {
  return { act, connected: true, type: 'udp4' };
}

/** Neighbours of the sends in every queue of the event loop. */
function among({ log }: Place, name: string): void {
  process.nextTick(() => log('tick', name));
  queueMicrotask(() => log('microtask', name));
  setImmediate(() => log('immediate', name));
}

const SCRIPTS: Readonly<Record<string, Script>> = {
  'a burst': fromAny(({ socket, port, told }) => {
    for (const text of texts(32, 1200)) socket.send(text, port, LOOPBACK, told(text));
  }),
  'a burst from a connected socket': fromConnected(({ socket, told }) => {
    for (const text of texts(32, 1200)) socket.send(text, told(text));
  }),
  'bursts in every phase of the event loop': fromConnected(async (place) => {
    const burst = (name: string): void => {
      for (const text of texts(4)) place.socket.send(name + text, place.told(name + text));
    };
    burst('sync');
    process.nextTick(burst, 'tick');
    queueMicrotask(() => burst('microtask'));
    await sleep(5);
    setImmediate(burst, 'immediate');
    await sleep(5);
    setTimeout(burst, 1, 'timer');
    await sleep(20);
    burst('after a timer');
    await Promise.resolve();
    burst('after a promise');
  }),
  'neighbours in every queue': fromAny((place) => {
    for (const text of texts(6)) {
      place.socket.send(text, place.port, LOOPBACK, place.told(text));
      among(place, text);
    }
  }),
  'neighbours in every queue, connected': fromConnected((place) => {
    for (const text of texts(6)) {
      place.socket.send(text, place.told(text));
      among(place, text);
    }
  }),
  'a context for each send': fromAny(({ socket, port, told, within }) => {
    for (const text of texts(8)) within(text, () => socket.send(text, port, LOOPBACK, told(text)));
  }),
  'a context for each send, connected': fromConnected(({ socket, told, within }) => {
    for (const text of texts(8)) within(text, () => socket.send(text, told(text)));
  }),
  'no callbacks': fromAny(({ socket, port }) => {
    for (const text of texts(9)) socket.send(text, port, LOOPBACK);
  }),
  'many sizes and two places': fromAny(({ socket, port, otherPort, told }) => {
    for (let index = 0; index < 60; index++) {
      const text = `${index}`.padEnd(10 + (index % 5 === 4 ? 3 : 0) - (index % 7 === 6 ? 2 : 0));
      socket.send(text, index % 11 < 8 ? port : otherPort, LOOPBACK, told(text));
    }
  }),
  'two sockets in turn': fromAny(async ({ socket, port, told }) => {
    const other = dgram.createSocket('udp4').bind(0, LOOPBACK);
    await once(other, 'listening');
    for (const text of texts(12)) (/[05]/.test(text) ? other : socket).send(text, port, LOOPBACK, told(text));
    await nextTurn();
    other.close();
  }),
  'lists, parts of buffers, empty and oversized ones': fromAny(({ socket, port, told }) => {
    socket.send(['a', Buffer.from('b'), new Uint8Array(2)], port, LOOPBACK, told('list'));
    socket.send(Buffer.from('abcdef'), 1, 4, port, LOOPBACK, told('part'));
    socket.send('', port, LOOPBACK, told('empty'));
    socket.send([], port, LOOPBACK, told('no parts'));
    socket.send(Buffer.alloc(65_507), port, LOOPBACK, told('the largest'));
    socket.send(Buffer.alloc(65_508), port, LOOPBACK, told('oversized'));
    socket.send(Buffer.alloc(40_000), port, LOOPBACK, told('large'));
    socket.send(new DataView(new ArrayBuffer(4)), port, LOOPBACK, told('view'));
    socket.send('last', port, LOOPBACK, told('last'));
  }),
  'what is no datagram': fromAny(({ socket, port, log }) => {
    for (const args of [
      [null, port],
      [['a', 1], port],
      ['a', 0],
      ['a', 70_000],
      ['a', port, 5],
      [Buffer.alloc(2), 1, 5, port],
    ]) {
      try {
        Reflect.apply(socket.send, socket, args);
      } catch (error) {
        if (error instanceof Error) log(errorWords(error), /socket-tune/.test(error.stack ?? ''));
      }
    }
  }),
  'a buffer that is used again at once': fromConnected(({ socket, told }) => {
    const buffer = Buffer.alloc(8);
    for (let index = 0; index < 10; index++) {
      buffer.fill(String(index));
      socket.send(buffer, told(`buffer ${index}`));
    }
  }),
  'options between sends': fromConnected(({ socket, told, log }) => {
    for (const text of texts(4)) {
      socket.send(text, told(text));
      log(socket.setTTL(3), socket.getSendQueueSize(), socket.getSendQueueCount());
    }
    socket.setBroadcast(true);
    socket.setMulticastTTL(3);
    socket.setSendBufferSize(10_000);
    log(socket.getSendBufferSize());
  }),
  'close() right after': fromAny(({ socket, port, told }) => {
    for (const text of texts(4)) socket.send(text, port, LOOPBACK, told(text));
    socket.close();
  }),
  'close() right after, connected': fromConnected(({ socket, told, log }) => {
    for (const text of texts(4)) socket.send(text, told(text));
    socket.close(() => log('closed'));
  }),
  'close() in the first callback': fromAny(({ socket, port, told }) => {
    for (const [index, text] of texts(4).entries()) {
      const note = told(text);
      socket.send(text, port, LOOPBACK, (error, bytes) => {
        note(error, bytes);
        if (index === 0) socket.close();
      });
    }
  }),
  'close() in a tick between': fromConnected(({ socket, told, log }) => {
    socket.send('one', told('one'));
    process.nextTick(() => socket.close());
    socket.send('two', told('two'));
    process.nextTick(() => {
      try {
        socket.send('three', told('three'));
      } catch (error) {
        if (error instanceof Error) log(errorWords(error));
      }
    });
  }),
  'disconnect() between': fromConnected(({ socket, port, otherPort, told }) => {
    for (const text of texts(3)) socket.send(text, told(text));
    socket.disconnect();
    for (const text of texts(3)) socket.send(text, otherPort, LOOPBACK, told(text));
    socket.connect(port, LOOPBACK, () => {
      for (const text of texts(3)) socket.send(text, told(text));
    });
  }),
  'no route': fromAny(({ socket, told }) => {
    for (const text of texts(4)) socket.send(text, 9, '203.0.113.1', told(text));
    for (const text of texts(2)) socket.send(text, 9, '203.0.113.1');
  }),
  'a broadcast that is not allowed': fromAny(({ socket, told }) => {
    for (const text of texts(3)) socket.send(text, 9, '255.255.255.255', told(text));
  }),
  'an address of the other family': fromAny(({ socket, port, told }) => {
    for (const text of texts(3)) socket.send(text, port, '::1', told(text));
  }),
  'names, and one that there is not': fromAny(async ({ socket, port, told }) => {
    // One after the other: the thread pool looks them up in any order.
    for (const [name, host] of [
      ['one', 'localhost'],
      ['two', 'localhost'],
      ['none', 'no-such-name.invalid'],
    ] as const) {
      const note = told(name);
      await new Promise<void>((resolve) => {
        socket.send(name, port, host, (error, bytes) => {
          note(error, bytes);
          resolve();
        });
      });
    }
  }),
  IPv6: {
    ...fromAny(({ socket, port, told }) => {
      for (const text of texts(5)) socket.send(text, port, '::1', told(text));
      for (const text of texts(3)) socket.send(text, 9, 'fe80::1%no-such', told(text));
      for (const text of texts(3)) socket.send(text, 9, '127.0.0.1', told(text));
    }),
    type: 'udp6',
  },
  'a lookup that answers at once': fromAny(async ({ port, told }) => {
    const lookup: typeof dns.lookup = ((_: string, __: unknown, callback: (...args: unknown[]) => void) =>
      callback(null, LOOPBACK, 4)) as never;
    const socket = dgram.createSocket({ type: 'udp4', lookup: lookup as never });
    // It is bound within the call.
    socket.bind(0);
    for (const text of texts(5)) socket.send(text, port, 'x', told(text));
    await nextTurn();
    socket.close();
  }),
  'a socket that is not bound': fromAny(async ({ port, told }) => {
    const socket = dgram.createSocket('udp4');
    for (const text of texts(5)) socket.send(text, port, LOOPBACK, told(text));
    socket.unref();
    await once(socket, 'listening');
    await sleep(10);
    socket.close();
  }),
  'promises of sends': fromAny(async ({ socket, port, log }) => {
    const send: (...args: unknown[]) => Promise<unknown> = promisify(socket.send).bind(socket) as never;
    for (const text of texts(3)) log(await send(text, port, LOOPBACK));
    log(await Promise.all(texts(5).map((text) => send(text, port, LOOPBACK))));
    log(
      await Promise.allSettled(texts(2).map((text) => send(text, 9, '203.0.113.1'))).then((all) =>
        all.map(({ status }) => status),
      ),
    );
  }),
  'callbacks that throw': fromAny(async ({ socket, port, log }) => {
    const onError = (error: Error): void => log('uncaught', error.message);
    process.on('uncaughtException', onError);
    for (const text of texts(4)) {
      socket.send(text, port, LOOPBACK, () => {
        throw new Error(text);
      });
    }
    await sleep(20);
    process.off('uncaughtException', onError);
  }),
  'an answer to each datagram': fromAny(async ({ socket, port, told, received }) => {
    const answering = dgram.createSocket('udp4').bind(0, LOOPBACK);
    await once(answering, 'listening');
    answering.on('message', (message, { port: from }) => {
      received('answering', String(message));
      for (const text of ['a', 'b', 'c']) answering.send(text + message, from, LOOPBACK, told(text + message));
    });
    let answers = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (message) => {
        received('answered', String(message));
        if (++answers === 9) resolve();
      });
    });
    for (const text of texts(3)) socket.send(text, answering.address().port, LOOPBACK, told(text));
    await all;
    answering.close();
    socket.send('end', port, LOOPBACK);
  }),
};

async function receiver(type: 'udp4' | 'udp6', name: string, recorder: Recorder): Promise<Socket> {
  const socket = dgram.createSocket(type);
  socket.on('message', (message, { size }) => recorder.event(name, size, String(message.subarray(0, 40))));
  socket.bind(0, type === 'udp4' ? LOOPBACK : '::1');
  await once(socket, 'listening');
  return socket;
}

async function runScript({ act, connected, type }: Script, recorder: Recorder): Promise<void> {
  const [one, other] = [await receiver(type, 'received', recorder), await receiver(type, 'other received', recorder)];
  const { port } = one.address();
  const otherPort = other.address().port;
  const own = new Map([port, otherPort].map((number, index) => [number, `port ${index}`]));
  const words = (value: unknown): string =>
    JSON.stringify(value instanceof Error ? errorWords(value) : (value ?? String(value)), (_, inner: unknown) =>
      typeof inner === 'number' ? (own.get(inner) ?? inner) : inner,
    ).replace(/:\d{4,5}\b/g, ':port');
  const socket = dgram.createSocket(type);
  recorder.watch('socket', socket, ['listening', 'connect', 'error', 'close']);
  socket.bind(0, type === 'udp4' ? LOOPBACK : undefined);
  await once(socket, 'listening');
  if (connected) {
    socket.connect(port, LOOPBACK);
    await once(socket, 'connect');
  }
  await act({
    socket,
    port,
    otherPort,
    received: (who, text) => recorder.event(who, text),
    within: (name, inner) => recorder.within(name, inner),
    log: (...all) => recorder.event('app', ...all.map(words)),
    told:
      (name) =>
      (...all) =>
        recorder.event('app', 'told', name, all.length, ...all.map(words)),
  });
  await sleep(60);
  closeIfOpen(socket);
  one.close();
  other.close();
  await nextTurn();
}

function closeIfOpen(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // The scenario has closed it.
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = Object.fromEntries(
  Object.entries(SCRIPTS).map(([title, script]) => [
    title,
    { run: (recorder: Recorder) => runScript(script, recorder) },
  ]),
);
