import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { expect } from 'chai';
import type { TuneConfig } from '../../../src/config/tune-config.js';
import { impliedByDeadPeer } from '../../../src/options/dead-peer.js';
import { type DestinationRecord, destinationRecords } from '../../../src/report/destination-record.js';
import { freePort } from '../../support/sockets/free-port.js';
import { kernelValue } from '../../support/sockets/kernel-value.js';
import { nameOf } from '../../support/sockets/outgoing.js';
import { useOutgoing } from '../../support/sockets/outgoing-suite.js';
import { handleOf } from '../../support/sockets/socket-pair.js';
import { install } from '../../support/test-run/installed.js';
import { until } from '../../support/until.js';

const GUARD: TuneConfig = { guard: { deadPeer: 4 } };
const TIMES = ['SO_KEEPALIVE', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'] as const;
const OURS = [1, ...Object.values(impliedByDeadPeer(4)).slice(1, 4)];

describe('the guard of an outgoing socket', () => {
  const outgoing = useOutgoing();
  const { connected } = outgoing;
  let undo: (() => void) | undefined;

  afterEach(() => {
    undo?.();
    undo = undefined;
  });

  const timesOf = (socket: Socket): number[] => TIMES.map((name) => kernelValue(handleOf(socket), name));

  /** A socket that is guarded for sure: it was connected after the others. */
  async function guarded(): Promise<void> {
    const socket = await connected();
    await until('the guard is set', () => timesOf(socket)[0] === 1);
  }

  function recordOf(port: number): DestinationRecord | undefined {
    return destinationRecords().find(({ destination }) => destination.endsWith(`:${port}`));
  }

  it('is keepalive in the time for a dead peer, once the connection has lived for a moment', async () => {
    undo = install(GUARD);
    const socket = await connected();
    expect(timesOf(socket)[0]).to.equal(0);
    await until('it is set', () => timesOf(socket)[0] === 1);
    expect(timesOf(socket)).to.deep.equal(OURS);
  });

  it('leaves the app its own keepalive, on or off, and shortens a longer one', async () => {
    undo = install(GUARD);
    const short = await connected({ keepAlive: true, keepAliveInitialDelay: 1000 });
    const off = await connected();
    off.setKeepAlive(false);
    const long = await connected({ keepAlive: true, keepAliveInitialDelay: 60_000 });
    await guarded();
    expect(timesOf(off)[0]).to.equal(0);
    expect(timesOf(long)).to.deep.equal(OURS);
    // One second, and ten probes of Node's: longer than the four seconds as well.
    expect(timesOf(short)).to.deep.equal(OURS);
    long.setKeepAlive(false);
    expect(timesOf(long)[0]).to.equal(0);
  });

  it('is the port’s own, and none where it is off', async () => {
    undo = install({ ...GUARD, connectPorts: { [outgoing.peer.port]: { deadPeer: 20 } } });
    const socket = await connected();
    await until('it is set', () => timesOf(socket)[0] === 1);
    expect(timesOf(socket)[1]).to.equal(10);
    undo();
    const { connect } = net.Socket.prototype;
    undo = install({ guard: 'off' });
    expect(net.Socket.prototype.connect).to.equal(connect);
  });

  it('counts connections by destination, under the name that the app has for it', async () => {
    undo = install(GUARD);
    const socket = await connected({ host: 'db.example', lookup: nameOf('127.0.0.1') });
    const record = destinationRecords().find(({ destination }) => destination === `db.example:${outgoing.peer.port}`);
    expect(record).to.include({ open: 1, opened: 1, failed: 0, dead: 0 });
    expect(record?.connectTime).to.be.above(0);
    socket.destroy();
    await once(socket, 'close');
    expect(record).to.include({ open: 0, opened: 1 });
  });

  it('counts each address of a name that is tried in vain', async () => {
    undo = install(GUARD);
    const port = await freePort();
    const refused = net.connect({ port, host: 'x', lookup: nameOf('127.0.0.1', '127.0.0.2', '127.0.0.3') });
    await once(refused, 'error');
    expect(recordOf(port)).to.include({ open: 0, opened: 0, failed: 3 });
  });

  it('counts an attempt in vain, and not one that the app has ended', async () => {
    undo = install(GUARD);
    const port = await freePort();
    const refused = net.connect(port, '127.0.0.1');
    await once(refused, 'error');
    expect(recordOf(port)).to.include({ open: 0, opened: 0, failed: 1 });
    const ended = net.connect(port, '127.0.0.1');
    ended.destroy();
    await once(ended, 'close');
    expect(recordOf(port)).to.include({ opened: 0, failed: 1 });
  });
});
