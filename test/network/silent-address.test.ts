import net from 'node:net';
import { expect } from 'chai';
import type { TuneConfig } from '../../src/config/tune-config.js';
import { outgoingRecord } from '../../src/report/socket-record.js';
import { echoPeer, nameOf, OUTGOING_VALUES, type Peer, TUNED, valuesOf } from '../support/sockets/outgoing.js';
import { install } from '../support/test-run/installed.js';
import { skip } from '../support/test-run/skipped.js';
import { makeNetwork, type Network, networkObstacle } from './network.js';

const EVENTS = [
  'connectionAttempt',
  'connectionAttemptTimeout',
  'connectionAttemptFailed',
  'connect',
  'error',
  'close',
];

const WAYS: Readonly<Record<string, TuneConfig>> = {
  'options for any time': { connect: OUTGOING_VALUES },
  'options ahead of connect(2)': { connect: { ...OUTGOING_VALUES, synCount: 3 } },
};

describe('a name of which one address is silent', () => {
  let network: Network;
  let peer: Peer;

  before(async function () {
    const why = networkObstacle();
    if (why !== undefined) skip(this, why);
    network = makeNetwork();
    network.cut();
    peer = await echoPeer();
  });

  after(() => {
    peer?.close();
    network?.close();
  });

  /** All events of a socket, and the kernel's values when it is connected. */
  async function told(...addresses: readonly string[]) {
    const to = { port: peer.port, host: 'x', lookup: nameOf(...addresses), autoSelectFamilyAttemptTimeout: 60 };
    const socket = net.connect(to);
    const seen: unknown[] = [];
    for (const event of EVENTS) {
      socket.on(event, (...args: unknown[]) => {
        const words = args.map((arg) => (arg instanceof AggregateError ? arg.errors.map(String) : String(arg)));
        seen.push([event, ...words, socket.connecting, socket.remoteAddress]);
      });
    }
    let values: unknown;
    socket.once('data', () => {
      values = valuesOf(socket);
      socket.end('goodbye');
    });
    await new Promise((resolve) => socket.once('close', resolve));
    seen.push(socket.autoSelectFamilyAttemptedAddresses, socket.bytesRead, socket.bytesWritten);
    return { seen, values };
  }

  const SCENARIOS = {
    'that answers at another': () => told(network.address, '127.0.0.1'),
    'that answers nowhere': () => told(network.address, '127.0.0.9', network.address),
  };

  for (const [title, scenario] of Object.entries(SCENARIOS)) {
    it(`${title} is, tuned, as in stock Node`, async () => {
      const stock = await scenario();
      expect(JSON.stringify(stock.seen)).to.include('connectionAttemptTimeout');
      for (const [way, config] of Object.entries(WAYS)) {
        const before = outgoingRecord.sockets;
        const uninstall = install(config);
        try {
          const tuned = await scenario();
          expect(tuned.seen, way).to.deep.equal(stock.seen);
          expect(tuned.values, way).to.deep.equal(stock.values === undefined ? undefined : TUNED);
          expect(outgoingRecord.sockets - before, way).to.equal(2);
        } finally {
          uninstall();
        }
      }
    });
  }
});
