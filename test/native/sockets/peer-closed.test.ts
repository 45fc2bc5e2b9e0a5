import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'chai';
import { useScratch } from '../../support/files/scratch.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf } from '../../support/sockets/socket-pair.js';
import { until } from '../../support/until.js';

describe('whether the peer has closed a connection', () => {
  const scratch = useScratch();
  const sockets: net.Socket[] = [];
  let server: net.Server;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server?.close();
  });

  /** A socket that does not read, and its peer. */
  async function pair(listen: (server: net.Server) => void): Promise<readonly [net.Socket, net.Socket]> {
    server = net.createServer({ allowHalfOpen: true });
    listen(server);
    await once(server, 'listening');
    const accepting = once(server, 'connection') as Promise<[net.Socket]>;
    const address = server.address();
    const target = typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 };
    const socket = net.connect({ ...target, allowHalfOpen: true }).pause();
    const [peer] = await accepting;
    sockets.push(socket, peer);
    if (socket.connecting) await once(socket, 'connect');
    return [socket, peer];
  }

  const overTcp = () => pair((each) => each.listen(0, '127.0.0.1'));
  const asked = (socket: net.Socket): boolean => linux().hasPeerClosed(handleOf(socket));

  it('is told of a FIN, of one behind data, and of a RST', async () => {
    const ends = {
      fin: (peer: net.Socket) => peer.end(),
      dataAndFin: (peer: net.Socket) => peer.end('HTTP/1.1 408 Request Timeout\r\n\r\n'),
      rst: (peer: net.Socket) => peer.resetAndDestroy(),
    };
    for (const [name, end] of Object.entries(ends)) {
      const [socket, peer] = await overTcp();
      expect(asked(socket), name).to.equal(false);
      end(peer);
      await until(`the kernel knows: ${name}`, () => asked(socket));
      server.close();
    }
  });

  it('is not concluded from data alone, such as a session ticket of TLS', async () => {
    const [socket, peer] = await overTcp();
    peer.write('more');
    await until('the data has come', () => (linux().tcpInfo(handleOf(socket))?.bytesReceived ?? 0) >= 4);
    expect(asked(socket)).to.equal(false);
  });

  it('is told of a Unix socket, too', async () => {
    const [socket, peer] = await pair((each) => each.listen(scratch.path('peer.sock')));
    expect(asked(socket)).to.equal(false);
    peer.destroy();
    await until('the kernel knows', () => asked(socket));
  });

  it('is false for a handle without a socket', () => {
    expect(linux().hasPeerClosed({})).to.equal(false);
    expect(linux().hasPeerClosed({ fd: 987_654 })).to.equal(false);
  });
});
