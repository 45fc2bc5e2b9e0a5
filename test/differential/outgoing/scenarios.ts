import { channel } from 'node:diagnostics_channel';
import dns from 'node:dns';
import { once } from 'node:events';
import net, { type LookupFunction, type Socket } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { TuneConfig } from '../../../src/config/tune-config.js';
import { install } from '../../../src/install.js';
import { asNetSocket } from '../../../src/node/net.js';
import { outgoingRecord } from '../../../src/report/socket-record.js';
import { freePort } from '../../support/sockets/free-port.js';
import { echoPeer, nameOf } from '../../support/sockets/outgoing.js';
import { listening, portOf } from '../../support/sockets/socket-pair.js';
import type { Recorder } from '../harness/recorder.js';
import type { Scenario } from '../harness/scenario.js';
import {
  atOnce,
  ended,
  endsAt,
  errorWords,
  failing,
  type Place,
  type Script,
  state,
  talks,
  watch,
} from './conversation.js';

const SCRIPTS: Readonly<Record<string, Script>> = {
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
    async act({ peer }, log) {
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
    act({ refusing }, log) {
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
    // Short only when all has come: a busy machine may be slow until then.
    socket.setTimeout(300_000).once('data', () => socket.setTimeout(15));
    socket.once('timeout', () => socket.destroy());
  }),
  'the next connection of the same socket': {
    tuned: 2,
    async act({ peer }, log) {
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
    async act({ resetting }, log) {
      const socket = new net.Socket();
      socket.on('error', (error) => log(errorWords(error))).on('close', (...words) => log('close', words));
      socket.connect(resetting, '127.0.0.1').resume();
      socket.write('hello');
      await ended(socket);
    },
  },
};

/** Emitters of a recording: the app, and the app once more when socket-tune has been taken back. */
export const APP = 'app';
export const TAKEN_BACK = 'app, taken back';

/** The fact of how many sockets were tuned. */
export const TUNED_SOCKETS = 'tuned sockets';

/** Closes the connections of sockets that an act has opened: stock Node leaves one open whose socket was destroyed before it had begun. */
async function closingOpened(act: () => unknown): Promise<void> {
  const opened: Socket[] = [];
  const onSocket = (message: unknown): void => void opened.push((message as { socket: Socket }).socket);
  channel('net.client.socket').subscribe(onSocket);
  await act();
  channel('net.client.socket').unsubscribe(onSocket);
  for (const { _handle: handle } of opened.map(asNetSocket)) {
    if (handle !== null) Reflect.apply(Reflect.get(handle, 'close'), handle, []);
  }
}

/** A place of its own for a scenario. Its servers are in this process, so that nothing is left to chance between two processes. */
async function withPlace(act: (place: Place) => Promise<void>): Promise<void> {
  const peer = await echoPeer();
  const resetting = await listening(
    net.createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())),
  );
  const place = {
    peer: peer.port,
    refusing: await freePort(),
    resetting: portOf(resetting),
    nowhere: join(process.cwd(), 'nowhere'),
  };
  await act(place);
  peer.close();
  resetting.close();
}

/** The words as they are: JSON would make `null` of an `undefined` in a list. Ports have the names of the place. */
function textOf(words: readonly unknown[], place: Place): string {
  const text = inspect(words, {
    depth: Number.POSITIVE_INFINITY,
    breakLength: Number.POSITIVE_INFINITY,
    maxArrayLength: null,
  });
  const names = new Map(Object.entries(place).map(([name, port]) => [String(port), name]));
  return text.replace(/\b\d+\b/g, (number) => names.get(number) ?? number);
}

async function runScript({ act }: Script, place: Place, recorder: Recorder): Promise<void> {
  const { OUTGOING_CONFIG } = process.env;
  const runAs = (who: string): Promise<void> =>
    closingOpened(() => act(place, (...words) => recorder.event(who, textOf(words, place))));
  if (OUTGOING_CONFIG === undefined) return await runAs(APP);
  const before = outgoingRecord.sockets;
  const uninstall = install(JSON.parse(OUTGOING_CONFIG) as TuneConfig);
  await runAs(APP);
  uninstall();
  const count = outgoingRecord.sockets - before;
  recorder.factAtEnd(TUNED_SOCKETS, () => count);
  await runAs(TAKEN_BACK);
}

/** With OUTGOING_CONFIG (JSON) in its environment, socket-tune is installed for the scenario, and taken back after it. */
type OutgoingScenario = Scenario & Pick<Script, 'tuned'>;

export const scenarios: Readonly<Record<string, OutgoingScenario>> = Object.fromEntries(
  Object.entries(SCRIPTS).map(([title, script]) => [
    title,
    { tuned: script.tuned, run: (recorder: Recorder) => withPlace((place) => runScript(script, place, recorder)) },
  ]),
);
