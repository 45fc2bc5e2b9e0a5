import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { runHandover } from '../support/processes/handed-over.js';
import { runApp } from '../support/processes/node-process.js';
import { freePort } from '../support/sockets/free-port.js';

function kernel(report: Report | undefined, port: number): Record<string, unknown> {
  const listener = report?.listeners.find(({ address }) => address.endsWith(`:${port}`));
  return Object.fromEntries(listener?.outcomes.map(({ constant, kernel: value }) => [constant, value]) ?? []);
}

describe('an app with listeners on several ports', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('has the options of each port on its listener and its connections, and those of all on the rest', async () => {
    const [one, two, three] = [await freePort(), await freePort(), await freePort()];
    const source = `
import { createServer } from 'node:http';
import { connect } from 'node:net';
for (const port of ${JSON.stringify([one, two, three])}) {
  const server = createServer((request, response) => response.end('hello')).listen(port, '127.0.0.1', () => {
    const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n'));
    client.resume().on('close', () => server.close());
  });
}`;
    const env = {
      SOCKET_TUNE_USER_TIMEOUT: '9s',
      [`SOCKET_TUNE_PORT_${one}_USER_TIMEOUT`]: '5s',
      [`SOCKET_TUNE_PORT_${one}_TOS`]: 'ef',
      [`SOCKET_TUNE_PORT_${two}_PRESET`]: 'none',
    };
    const { code, stderr, report } = await runApp('mjs', source, { env });
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(kernel(report, one)).to.include({ TCP_USER_TIMEOUT: 5000, IP_TOS: 184, TCP_KEEPIDLE: 60 });
    expect(kernel(report, two)).to.deep.equal({ TCP_USER_TIMEOUT: 9000 });
    expect(kernel(report, three))
      .to.include({ TCP_USER_TIMEOUT: 9000, TCP_KEEPIDLE: 60 })
      .and.not.have.property('IP_TOS');
    const accepted = report?.listeners.find(({ address }) => address.endsWith(`:${one}`))?.accepted;
    const inherited = accepted?.filter(({ verdict }) => verdict === 'inherited').map(({ constant }) => constant);
    expect(inherited).to.include.members(['TCP_USER_TIMEOUT', 'IP_TOS']);
  });

  it('ends a live client that reads nothing only where USER_TIMEOUT was named', async () => {
    const [plain, timed] = [await freePort(), await freePort()];
    const source = `
const SIZE = 32 << 20;
const pausedClient = (port) => new Promise((resolve) => {
  const server = net.createServer((accepted) => {
    accepted.end(Buffer.alloc(SIZE));
    resolve({ accepted, client });
    server.close();
  });
  let client;
  server.listen(port, '127.0.0.1', () => { client = net.connect(port, '127.0.0.1').pause().on('error', () => {}); });
});
(async () => {
  const [plain, timed] = [await pausedClient(${plain}), await pausedClient(${timed})];
  print([plain, timed].map(({ accepted }) => option(accepted._handle.fd, [6, 18])));
  plain.accepted.on('error', ({ code }) => print('plain ' + code));
  timed.accepted.on('error', ({ code }) => {
    print('timed ' + code);
    timed.client.destroy();
    // The other worker was paused for as long, and goes on.
    let received = 0;
    plain.client.on('data', ({ length }) => { received += length; }).on('close', () => print(received === SIZE)).resume();
  });
})();`;
    const env = { [`SOCKET_TUNE_PORT_${timed}_USER_TIMEOUT`]: '500ms' };
    const { code, stderr, lines } = await runHandover(source, { parent: true, child: false }, env);
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(lines).to.deep.equal([[0, 500], 'timed ETIMEDOUT', true]);
  });

  it('has a larger backlog than it asked for, and never a smaller one', async () => {
    const source = `
import { createServer } from 'node:net';
for (const backlog of [10, 6000]) createServer().listen({ port: 0, backlog }, function () { this.close(); });
`;
    const { report } = await runApp('mjs', source, { env: { SOCKET_TUNE_BACKLOG: '50' } });
    const backlogs = report?.listeners.map(({ outcomes }) => outcomes.find(({ option }) => option === 'backlog'));
    expect(backlogs?.[0]).to.include({ verdict: 'applied', kernel: 50 });
    expect(backlogs?.[1]).to.include({ verdict: 'unneeded' });
    expect(backlogs?.[1]?.kernel).to.be.greaterThan(50);
  });
});
