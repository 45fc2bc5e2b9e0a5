import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { linux } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, portOf } from '../../support/sockets/socket-pair.js';

function inodeOf(server: Server): number {
  const { fd } = listenHandleOf(server);
  if (fd === undefined) throw new Error('no descriptor');
  return fstatSync(fd).ino;
}

describe('the sockets on a port', () => {
  const servers: Server[] = [];

  async function listen(port: number, host: string, backlog = 511): Promise<Server> {
    const server = createServer().listen(port, host, backlog);
    servers.push(server);
    await once(server, 'listening');
    return server;
  }

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('have the inode, the backlog and the address of a listener', async () => {
    const server = await listen(0, '127.0.0.1', 77);
    expect(linux().ports?.sockets(portOf(server), 'LISTEN')).to.deep.equal([
      {
        state: 'LISTEN',
        family: 4,
        port: portOf(server),
        address: '7f000001',
        peer: '00000000:0',
        queued: 0,
        backlog: 77,
        uid: process.getuid?.(),
        inode: inodeOf(server),
      },
    ]);
  });

  it('include those of IPv6, and only the states that were asked for', async () => {
    const server = await listen(0, '::1');
    const [listener, ...others] = linux().ports?.sockets(portOf(server), 'LISTEN') ?? [];
    expect(others).to.deep.equal([]);
    expect(listener).to.include({ family: 6, address: `${'0'.repeat(31)}1`, inode: inodeOf(server) });
    expect(linux().ports?.sockets(portOf(server), 'ESTAB')).to.deep.equal([]);
  });

  it('include connections with their peers', async () => {
    const server = await listen(0, '127.0.0.1');
    const client = connect(portOf(server), '127.0.0.1');
    const [accepted] = await once(server, 'connection');
    const found = linux().ports?.sockets(portOf(server), 'ESTAB');
    expect(found).to.have.length(1);
    expect(found?.[0]).to.include({ state: 'ESTAB', family: 4, peer: `7f000001:${client.localPort}` });
    accepted.destroy();
    client.destroy();
  });

  it('can be a thousand, which do not fit into one answer', async () => {
    const server = await listen(0, '127.0.0.1', 2048);
    const clients = Array.from({ length: 1000 }, () => connect(portOf(server), '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    expect(linux().ports?.sockets(portOf(server), 'ESTAB')).to.have.length(1000);
    for (const client of clients) client.destroy();
  });
});
