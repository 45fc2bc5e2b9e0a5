import { channel } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { once } from 'node:events';
import net, { type LookupFunction, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import { expect } from 'chai';
import type { TuneConfig } from '../../../src/config/tune-config.js';
import { asNetSocket } from '../../../src/node/net.js';
import { outgoingRecord } from '../../../src/report/socket-record.js';
import { useScratch } from '../../support/files/scratch.js';
import { freePort } from '../../support/sockets/free-port.js';
import { echoPeer, nameOf, OUTGOING_VALUES, type Peer } from '../../support/sockets/outgoing.js';
import { listening, portOf } from '../../support/sockets/socket-pair.js';
import { install } from '../../support/test-run/installed.js';

/** What a story is told about. */
interface Place {
  /** Somebody who says hello and echoes. */
  readonly peer: number;
  /** Nobody listens there. */
  readonly refusing: number;
  /** Somebody who resets every connection when he has heard something. */
  readonly resetting: number;
  /** A path at which there is nothing. */
  readonly nowhere: string;
}

/** What an app can see of a socket that it opens. */
interface Story {
  /** How many sockets are tuned in it. */
  readonly tuned: number;
  tell(place: Place, log: (...words: readonly unknown[]) => void): Promise<unknown> | unknown;
}

const EVENTS = [
  ...['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout', 'connect', 'ready'],
  ...['data', 'end', 'timeout', 'drain', 'finish', 'error', 'close'],
];

function errorWords(error: Error): unknown[] {
  const { code, errno, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const inner = error instanceof AggregateError ? error.errors.map(errorWords) : [];
  return [error.name, error.message, code, errno, syscall, address, port, Object.keys(error), ...inner];
}

function argumentWords(argument: unknown): unknown {
  if (argument instanceof Error) return errorWords(argument);
  return argument instanceof Buffer ? String(argument) : argument;
}

type Log = Parameters<Story['tell']>[1];

/** Write down all that happens to a socket, and what it says of itself meanwhile. */
function watch(socket: Socket, log: Log): Socket {
  for (const event of EVENTS) {
    socket.on(event, (...args: unknown[]) => {
      const words = args.map(argumentWords);
      log(event, words, state(socket));
    });
  }
  return socket;
}

function state(socket: Socket): unknown {
  const { address, family } = socket.address() as Partial<net.AddressInfo>;
  const { connecting, pending, destroyed, readyState, remoteAddress, remotePort, bytesRead, bytesWritten } = socket;
  const own = { address, family, localAddress: socket.localAddress, hasPort: (socket.localPort ?? 0) > 0 };
  const far = { remoteAddress, remotePort, remoteFamily: socket.remoteFamily };
  const attempted = socket.autoSelectFamilyAttemptedAddresses;
  return { connecting, pending, destroyed, readyState, bytesRead, bytesWritten, own, far, attempted };
}

function properties(socket: Socket): unknown {
  return Reflect.ownKeys(socket).map(String);
}

/** Connect, talk, and close. */
async function talk(options: NetConnectOpts, log: Log): Promise<void> {
  const socket = watch(net.connect(options), log);
  log('made', state(socket), properties(socket));
  socket.once('data', () => socket.end('goodbye'));
  await ended(socket);
  log('in the end', state(socket), properties(socket));
}

async function ended(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once('close', resolve));
}

function talks(options: (place: Place) => Partial<TcpNetConnectOpts> | { path: string }, tuned = 1): Story {
  return {
    tuned,
    tell: (place, log) => talk({ port: place.peer, host: '127.0.0.1', ...options(place) } as NetConnectOpts, log),
  };
}

const atOnce: LookupFunction = (_host, options, callback) => {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

const failing: LookupFunction = (_host, _options, callback) => {
  setTimeout(callback, 1, Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 4);
};

/** A socket that is ended by its owner in a moment of his choice. */
function endsAt(end: (socket: Socket, log: Log) => unknown, host = '127.0.0.1', lookup = nameOf('127.0.0.1')): Story {
  return {
    tuned: Number.NaN,
    async tell({ peer }, log) {
      const socket = watch(net.connect({ port: peer, host, lookup }), log);
      const closed = ended(socket);
      await end(socket, log);
      await closed;
      log('in the end', state(socket));
    },
  };
}

const STORIES: Readonly<Record<string, Story>> = {
  'a conversation': talks(() => ({})),
  'a conversation with a name': talks(() => ({ host: 'localhost', lookup: dns.lookup, family: 4 })),
  'a name whose first address refuses': talks(() => ({ host: 'x', lookup: nameOf('::1', '127.0.0.1') }), 2),
  'a name whose last address is tried in vain': talks(
    ({ refusing }) => ({ host: 'x', port: refusing, lookup: nameOf('::1', '127.0.0.1', '127.0.0.2') }),
    3,
  ),
  'a name that has one address only': talks(() => ({ host: 'x', lookup: nameOf('127.0.0.1') })),
  'a name of which one address only is asked for': talks(() => ({
    host: 'x',
    lookup: nameOf('127.0.0.1', '::1'),
    autoSelectFamily: false,
  })),
  'a lookup that answers at once': talks(() => ({ host: 'x', lookup: atOnce })),
  'a lookup that fails': talks(() => ({ host: 'x', lookup: failing }), 0),
  'a name that there is not': talks(() => ({ host: 'no-such-name.invalid' }), 0),
  'a connection that is refused': talks(({ refusing }) => ({ port: refusing })),
  'an address of one’s own': talks(() => ({ localAddress: '127.0.0.3' })),
  'an address of somebody else’s': talks(() => ({ localAddress: '192.0.2.1' }), 0),
  'an own address of the other family': talks(() => ({ localAddress: '::1' }), 0),
  'a port of one’s own that is taken': talks(
    ({ peer }) => ({ localAddress: '127.0.0.1', localPort: peer }),
    Number.NaN,
  ),
  'an address that no packet can go to': talks(() => ({ host: '255.255.255.255' }), Number.NaN),
  'Nagle off, keepalive on': talks(() => ({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 })),
  'a path': talks(({ nowhere }) => ({ path: nowhere }), 0),
  'a half that stays open': talks(() => ({ allowHalfOpen: true })),
  'a buffer of the app’s own': {
    tuned: 1,
    async tell({ peer }, log) {
      const buffer = Buffer.alloc(64);
      const callback = (bytes: number): boolean => {
        log('read', String(buffer.subarray(0, bytes)));
        socket.end();
        return true;
      };
      const socket = watch(net.connect({ port: peer, host: '127.0.0.1', onread: { buffer, callback } }), log);
      await once(socket, 'close');
    },
  },
  'a signal that has come already': talks(() => ({ signal: AbortSignal.abort() })),
  'a signal that comes before there is an address': talks(() => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const late: LookupFunction = (host, options, callback) =>
      setTimeout(nameOf('127.0.0.1'), 20, host, options, callback);
    return { host: 'x', lookup: late, signal: controller.signal };
  }, 0),
  'a port that is none': {
    tuned: 0,
    tell({ refusing }, log) {
      for (const port of [-1, 65_536, 'http', null, undefined, {}]) {
        try {
          Reflect.apply(net.connect, net, [{ port, host: '127.0.0.1', localPort: refusing }]);
        } catch (error) {
          if (error instanceof Error) log(errorWords(error));
        }
      }
    },
  },
  'the end before it began': endsAt((socket) => socket.destroy()),
  'the end, by an error, before it began': endsAt((socket) => socket.destroy(new Error('enough'))),
  'the end on a later turn': endsAt((socket) => setImmediate(() => socket.destroy())),
  'the end while the name is looked up': endsAt((socket) => socket.once('lookup', () => socket.destroy()), 'x'),
  'the end as it is connected': endsAt((socket) => socket.once('connect', () => socket.destroy())),
  'a reset as it is connected': endsAt((socket) => socket.once('connect', () => socket.resetAndDestroy())),
  'a reset before it is connected': endsAt((socket) => socket.resetAndDestroy()),
  'end() before it is connected': endsAt((socket) => socket.end('all that is to be said')),
  'writes before it is connected': endsAt((socket, log) => {
    log(socket.write('one'), socket.write('two'), socket.writableLength);
    socket.once('data', () => socket.end());
  }),
  'a timeout': endsAt((socket) => {
    // A short one only once all has come: a busy machine may take its time until then.
    socket.setTimeout(300_000).once('data', () => socket.setTimeout(15));
    socket.once('timeout', () => socket.destroy());
  }),
  'the next connection of the same socket': {
    tuned: 2,
    async tell({ peer }, log) {
      const socket = watch(new net.Socket(), log);
      for (const round of [1, 2]) {
        log('round', round, state(socket));
        socket.connect(peer, '127.0.0.1');
        socket.once('data', () => socket.destroy());
        await new Promise((resolve) => socket.once('close', resolve));
      }
    },
  },
  'a peer who resets it': {
    tuned: 1,
    async tell({ resetting }, log) {
      const socket = new net.Socket();
      socket.on('error', (error) => log(errorWords(error))).on('close', (...words) => log('close', words));
      socket.connect(resetting, '127.0.0.1').resume();
      socket.write('hello');
      await ended(socket);
    },
  },
};

/** Options of which all are set when the connection has begun, and some that have to be there before. */
const WAYS: Readonly<Record<string, TuneConfig>> = {
  'options for any time': { connect: OUTGOING_VALUES },
  'options ahead of connect(2)': { connect: { ...OUTGOING_VALUES, typeOfService: 184, synCount: 3, maxSegment: 1000 } },
};

describe('what an app sees of a socket that it opens is what stock Node shows, in', () => {
  const scratch = useScratch();
  let peer: Peer;
  let refusing: number;
  let resetting: net.Server;
  const opened: Socket[] = [];
  const onSocket = (message: unknown): void => {
    opened.push((message as { socket: Socket }).socket);
  };

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    channel('net.client.socket').subscribe(onSocket);
    peer = await echoPeer();
    refusing = await freePort();
    resetting = await listening(net.createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())));
  });

  // Stock Node leaves a connection open whose socket was destroyed before it had begun.
  afterEach(() => {
    for (const { _handle: handle } of opened.splice(0).map(asNetSocket)) {
      if (handle !== null) Reflect.apply(Reflect.get(handle, 'close'), handle, []);
    }
  });

  after(() => {
    channel('net.client.socket').unsubscribe(onSocket);
    peer?.close();
    resetting?.close();
  });

  async function told({ tell }: Story): Promise<unknown[]> {
    const seen: unknown[] = [];
    const place = { peer: peer.port, refusing, resetting: portOf(resetting), nowhere: scratch.path('nowhere') };
    await tell(place, (...words) => seen.push(words));
    return seen;
  }

  for (const [title, story] of Object.entries(STORIES)) {
    it(title, async () => {
      const stock = await told(story);
      expect(stock).not.to.be.empty;
      for (const [way, config] of Object.entries(WAYS)) {
        const before = outgoingRecord.sockets;
        const uninstall = install(config);
        try {
          expect(await told(story), way).to.deep.equal(stock);
        } finally {
          uninstall();
        }
        const tuned = outgoingRecord.sockets - before;
        if (!Number.isNaN(story.tuned)) expect(tuned, `${way}: sockets that were tuned`).to.equal(story.tuned);
      }
      expect(await told(story), 'taken back').to.deep.equal(stock);
    });
  }
});
