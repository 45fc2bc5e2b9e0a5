import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import type { PeerConnection } from '../../../src/hooks/peers/connection.js';
import { noteAttempt } from '../../../src/hooks/peers/known-connections.js';
import { lifetimeHook } from '../../../src/hooks/peers/lifetime.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { type DestinationRecord, destinationOf } from '../../../src/report/destination-record.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { echoPeer, type Peer } from '../../support/sockets/outgoing.js';
import { handleOf } from '../../support/sockets/socket-pair.js';

const METHODS = ['_unrefTimer', '_destroy'] as const;

const methods = (): unknown[] => METHODS.map((name) => Reflect.get(net.Socket.prototype, name));

let hosts = 0;

describe('the lifetimes of connections', () => {
  let peer: Peer;
  let undo: Undo | undefined;
  let destination: DestinationRecord;
  const sockets: net.Socket[] = [];

  before(async () => {
    peer = await echoPeer();
  });

  after(() => peer?.close());

  beforeEach(() => {
    destination = destinationOf(`lifetime-${hosts++}.example`, 1);
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    undo?.();
    undo = undefined;
  });

  /** A socket whose connection is noted as the hook of outgoing sockets does. */
  async function connected(): Promise<{ socket: net.Socket; opened: PeerConnection[] }> {
    const opened: PeerConnection[] = [];
    const socket = net.connect(peer.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    noteAttempt(socket, handleOf(socket), destination, { open: (connection) => opened.push(connection) });
    await once(socket, 'connect');
    return { socket, opened };
  }

  it('begin before the app hears of them, and end before it hears that', async () => {
    undo = lifetimeHook.install(hookContext({}, linux(), { guards: true }));
    const socket = net.connect(peer.port, '127.0.0.1');
    let open = Number.NaN;
    const look = (): void => {
      ({ open } = destination);
    };
    socket.on('connect', look);
    noteAttempt(socket, handleOf(socket), destination, { open: () => undefined });
    await once(socket, 'connect');
    expect(open).to.equal(1);
    socket.on('close', look);
    socket.destroy();
    await once(socket, 'close');
    expect(open).to.equal(0);
  });

  it('end as dead with the error of a peer that answers nothing, and with no other', async () => {
    undo = lifetimeHook.install(hookContext({}, linux(), { guards: true }));
    for (const [code, dead] of [
      ['ECONNRESET', 0],
      ['ETIMEDOUT', 1],
      // The last ICMP message, in place of it.
      ['EHOSTUNREACH', 2],
    ] as const) {
      const { socket } = await connected();
      const error = Object.assign(new Error(`read ${code}`), { code, syscall: 'read' });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy(error);
      await closed;
      expect([code, destination.dead]).to.deep.equal([code, dead]);
      expect(error.code).to.equal(code === 'EHOSTUNREACH' ? 'ETIMEDOUT' : code);
    }
    expect(destination).to.include({ open: 0, opened: 3, failed: 0 });
  });

  it('cost a process nothing that has no connection to count', async () => {
    const own = methods();
    undo = lifetimeHook.install(hookContext({}, linux(), { guards: true }));
    expect(methods()).to.deep.equal(own);
    await connected();
    expect(methods()).not.to.include.members(own);
    undo?.();
    undo = undefined;
    expect(methods()).to.deep.equal(own);
  });

  it('are not watched where no peer is', () => {
    expect(lifetimeHook.install(hookContext({}, linux(), { guards: false }))).to.equal(undefined);
    undo = lifetimeHook.install(hookContext({ deadPeer: 60 }, linux(), { guards: false }));
    expect(undo).to.be.a('function');
  });

  it('are not counted any more after the undo', async () => {
    undo = lifetimeHook.install(hookContext({}, linux(), { guards: true }));
    const { opened } = await connected();
    expect(opened).to.have.length(1);
    undo?.();
    undo = undefined;
    expect((await connected()).opened).to.deep.equal([]);
  });
});
