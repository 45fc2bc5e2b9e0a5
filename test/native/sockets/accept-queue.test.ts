import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { useScratch } from '../../support/files/scratch.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, socketPair } from '../../support/sockets/socket-pair.js';
import { until } from '../../support/until.js';

const LIMIT = 4;

describe('the accept queue of a listener', () => {
  const scratch = useScratch();
  let server: Server;
  let clients: Socket[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: LIMIT });
    await once(server, 'listening');
  });

  afterEach(() => {
    for (const client of clients) client.destroy();
    clients = [];
    server.close();
  });

  /** The handshake is the kernel's alone. Node accepts in the next poll phase, which ticks come before. */
  async function knock(amount: number): Promise<void> {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    clients.push(...Array.from({ length: amount }, () => connect(address.port, '127.0.0.1')));
    await new Promise(process.nextTick);
  }

  it('has its length, the limit that the app gave, and nothing dropped', async () => {
    const handle = listenHandleOf(server);
    expect(linux().acceptQueue(handle)).to.deep.equal({ length: 0, limit: LIMIT, drops: 0 });
    await knock(3);
    expect(linux().acceptQueue(handle)).to.deep.equal({ length: 3, limit: LIMIT, drops: 0 });
    await Promise.all(clients.map((client) => once(client, 'connect')));
    await until('Node has accepted them', () => linux().acceptQueue(handle)?.length === 0);
  });

  it('takes one more than its limit, and counts what it has dropped, for itself and for the network namespace', async () => {
    const before = linux().listenCounters();
    await knock(LIMIT + 4);
    expect(linux().acceptQueue(listenHandleOf(server))).to.deep.equal({ length: LIMIT + 1, limit: LIMIT, drops: 3 });
    const after = linux().listenCounters();
    // Other processes of this machine may add to these.
    expect((after?.overflows ?? 0) - (before?.overflows ?? 0)).to.be.at.least(3);
    expect((after?.drops ?? 0) - (before?.drops ?? 0)).to.be.at.least(3);
  });

  it('is there for a TCP listener alone', async () => {
    const pair = await socketPair();
    expect(linux().acceptQueue(handleOf(pair.accepted))).to.equal(undefined);
    pair.close();
    const path = createServer().listen(scratch.path('socket'));
    await once(path, 'listening');
    expect(linux().acceptQueue(listenHandleOf(path))).to.equal(undefined);
    path.close();
    const handle = listenHandleOf(server);
    server.close();
    expect(linux().acceptQueue(handle)).to.equal(undefined);
  });
});
