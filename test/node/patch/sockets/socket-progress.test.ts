import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { asNetSocket, type NetSocket } from '../../../../src/node/net.js';
import { watchProgress } from '../../../../src/node/patch/sockets/socket-progress.js';
import { echoPeer, type Peer } from '../../../support/sockets/outgoing.js';

const method = (): unknown => Reflect.get(net.Socket.prototype, '_unrefTimer');

describe('watching sockets make progress', () => {
  let peer: Peer;

  before(async () => {
    peer = await echoPeer();
  });

  after(() => peer?.close());

  it('tells each watcher when a socket has connected, when it has read and when it writes', async () => {
    const seen: string[] = [];
    let socket: net.Socket | undefined;
    const watcher =
      (name: string) =>
      (one: NetSocket): void => {
        if (one === socket) seen.push(`${name} ${one._writableState.writing ? 'writes' : one.bytesRead}`);
      };
    const undos = [watchProgress(watcher('first')), watchProgress(watcher('second'))];
    try {
      socket = net.connect(peer.port, '127.0.0.1');
      await once(socket, 'data');
      socket.write('x');
      expect(seen).to.deep.equal(['first 0', 'second 0', 'first 5', 'second 5', 'first writes', 'second writes']);
    } finally {
      for (const undo of undos) undo?.();
      socket?.destroy();
    }
  });

  it('restarts the socket’s timeout as Node does', async () => {
    const undo = watchProgress(() => undefined);
    const socket = net.connect(peer.port, '127.0.0.1');
    try {
      await once(socket, 'data');
      let timeouts = 0;
      socket.setTimeout(200, () => timeouts++);
      const end = performance.now() + 600;
      while (performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        socket.write('x');
      }
      expect(timeouts).to.equal(0);
      await once(socket, 'timeout');
    } finally {
      undo?.();
      socket.destroy();
    }
  });

  it('stands in one place for all, until the last of them goes', () => {
    const own = method();
    const first = watchProgress(() => undefined);
    const patched = method();
    const second = watchProgress(() => undefined);
    expect(patched).not.to.equal(own);
    expect(method()).to.equal(patched);
    first?.();
    expect(method()).to.equal(patched);
    second?.();
    expect(method()).to.equal(own);
  });

  it('goes on with the others when one goes while they are told', () => {
    const seen: string[] = [];
    const undos = [
      watchProgress(() => {
        seen.push('first');
        undos[0]?.();
      }),
      watchProgress(() => seen.push('second')),
    ];
    const socket = asNetSocket(new net.Socket());
    try {
      socket._unrefTimer();
      socket._unrefTimer();
      expect(seen).to.deep.equal(['first', 'second', 'second']);
    } finally {
      undos[1]?.();
      socket.destroy();
    }
  });

  it('is not there where somebody else has replaced Node’s method', () => {
    const own = Object.getOwnPropertyDescriptor(net.Socket.prototype, '_unrefTimer') as PropertyDescriptor;
    Reflect.set(net.Socket.prototype, '_unrefTimer', () => undefined);
    try {
      expect(watchProgress(() => undefined)).to.equal(undefined);
    } finally {
      Object.defineProperty(net.Socket.prototype, '_unrefTimer', own);
    }
  });
});
