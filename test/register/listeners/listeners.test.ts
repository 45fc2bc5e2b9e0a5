import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import type { OptionOutcome, Verdict } from '../../../src/options/outcome.js';
import type { Report } from '../../../src/report/report.js';
import { TUNED } from '../../support/processes/handed-over.js';
import { runApp, startApp } from '../../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../../support/processes/program.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { makeCertificate } from '../../support/sockets/certificate.js';

type Outcomes = Report['listeners'][number]['outcomes'];

function kernelValues(outcomes: Outcomes, verdict: Verdict): Record<string, OptionOutcome['kernel']> {
  const chosen = outcomes.filter((outcome) => outcome.constant in TUNED && outcome.verdict === verdict);
  return Object.fromEntries(chosen.map(({ constant, kernel }) => [constant, kernel]));
}

function verdicts(outcomes: Outcomes): Record<string, Verdict> {
  return Object.fromEntries(outcomes.map(({ constant, verdict }) => [constant, verdict]));
}

/** Each listener has every option, and each connection has it from the listener. */
function expectInherited(report: Report | undefined, { listeners = 1, connections = 1 } = {}): void {
  expect(report?.listeners).to.have.length(listeners);
  expect(report?.connections).to.equal(connections);
  for (const { outcomes, accepted } of report?.listeners ?? []) {
    expect(kernelValues(outcomes, 'applied')).to.deep.equal(TUNED);
    expect(kernelValues(accepted as Outcomes, 'inherited')).to.deep.equal(TUNED);
  }
}

interface Protocol {
  readonly imports: string;
  /** Makes `server`, which answers a client. */
  readonly server: string;
  /** Connects to `at` and calls `done` when it has been answered. */
  readonly client: string;
  readonly clientSpeaksFirst: boolean;
}

const keys = `{ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') }`;

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  net: {
    imports: `import { createServer, connect } from 'node:net';`,
    server: `createServer((socket) => socket.end('hello'))`,
    client: `connect(at).resume().on('close', done)`,
    clientSpeaksFirst: false,
  },
  http: {
    imports: `import { createServer, get } from 'node:http';`,
    server: `createServer((request, response) => response.end('hello'))`,
    client: `get({ ...at, agent: false }, (response) => response.resume().on('end', done))`,
    clientSpeaksFirst: true,
  },
  https: {
    imports: `import { createServer, get } from 'node:https'; import { readFileSync } from 'node:fs';`,
    server: `createServer(${keys}, (request, response) => response.end('hello'))`,
    client: `get({ ...at, agent: false, rejectUnauthorized: false }, (response) => response.resume().on('end', done))`,
    clientSpeaksFirst: true,
  },
  tls: {
    imports: `import { createServer, connect } from 'node:tls'; import { readFileSync } from 'node:fs';`,
    server: `createServer(${keys}, (socket) => socket.end('hello'))`,
    client: `connect({ ...at, rejectUnauthorized: false }).resume().on('close', done)`,
    clientSpeaksFirst: true,
  },
  http2: {
    imports: `import { createServer, connect } from 'node:http2';`,
    server: `createServer((request, response) => response.end('hello'))`,
    client: `const session = connect('http://' + at.host + ':' + at.port);
      session.request().resume().on('close', () => session.close(done))`,
    clientSpeaksFirst: true,
  },
};

/** An app that listens, connects to itself once, and ends. `listen` has `server` and must make it listen. */
function oneConnection({ imports, server, client }: Protocol, listen = `server.listen(0, '127.0.0.1')`): string {
  return `
${imports}
const server = ${server};
server.on('listening', () => {
  const address = server.address();
  const at = typeof address === 'string' ? { path: address, socketPath: address } : { host: '127.0.0.1', port: address.port };
  const done = () => server.close();
  ${client};
});
${listen};`;
}

describe('a listener under the preload', () => {
  before(() => makeCertificate(scratchProject()));

  for (const [name, protocol] of Object.entries(PROTOCOLS)) {
    it(`of ${name} has the options, and its connections inherit them`, async () => {
      const { report, ...process } = await runApp('mjs', oneConnection(protocol));
      expect(process).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' });
      expectInherited(report);
      expect(report?.listeners[0]?.address).to.match(/^127\.0\.0\.1:\d+$/);
    });

    it(`of ${name} ${protocol.clientSpeaksFirst ? 'waits' : 'does not wait'} for the client's first data`, async () => {
      const { report } = await runApp('mjs', oneConnection(protocol), { env: { SOCKET_TUNE_DEFER_ACCEPT: '5s' } });
      const outcome = report?.listeners[0]?.outcomes.find(({ constant }) => constant === 'TCP_DEFER_ACCEPT');
      expect(outcome?.verdict).to.equal(protocol.clientSpeaksFirst ? 'applied' : 'unneeded');
      if (protocol.clientSpeaksFirst) expect(outcome?.kernel).to.be.at.least(5);
    });
  }

  it('treats a client that has connected, and is silent until the app has closed the server, as stock Node does', async () => {
    const source = `import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
const server = createServer((request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => {
  const client = connect(server.address().port, '127.0.0.1');
  client.on('data', (data) => console.log(data.toString().split('\\r\\n')[0]));
  client.once('connect', async () => {
    // The server has its turns to accept it.
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    server.close();
    await setImmediate();
    client.write('GET / HTTP/1.0\\r\\n\\r\\n');
  });
});`;
    const stock = await runApp('mjs', source, { preload: [] });
    const { report, ...process } = await runApp('mjs', source);
    expect(report?.connections).to.equal(1);
    expect({ ...process, report: undefined }).to.deep.equal({ ...stock, report: undefined });
    // From Node 26 on, `close()` ends such a connection.
    if (Number.parseInt(globalThis.process.versions.node, 10) < 26) expect(stock.stdout).to.equal('HTTP/1.1 200 OK\n');
  });

  const http = PROTOCOLS.http as Protocol;
  const bound = `const { TCP, constants } = process.binding('tcp_wrap');
const handle = new TCP(constants.SERVER); handle.bind('127.0.0.1', 0);`;
  const forms: Readonly<Record<string, string>> = {
    'a port alone': 'server.listen(0)',
    'nothing at all': 'server.listen()',
    'a host name': `server.listen(0, 'localhost')`,
    'an IPv6 address that takes IPv4 too': `server.listen(0, '::')`,
    'a backlog': `server.listen(0, '127.0.0.1', 5)`,
    'an object of options': `server.listen({ port: 0, host: '127.0.0.1', backlog: 5, exclusive: true })`,
    'a handle': `${bound} server.listen(handle)`,
    'a descriptor': `${bound} server.listen({ fd: handle.fd })`,
  };
  for (const [form, listen] of Object.entries(forms)) {
    it(`that is given ${form} is tuned`, async () => {
      const { report, code, stderr } = await runApp('mjs', oneConnection(http, listen));
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expectInherited(report);
    });
  }

  it('that listens again after close() is tuned again', async () => {
    const source = oneConnection(http).replace(
      'server.close()',
      `server.close(() => { if (!server.again) { server.again = true; server.listen(0, '127.0.0.1'); } })`,
    );
    const { report } = await runApp('mjs', source);
    expectInherited(report, { listeners: 2, connections: 2 });
  });

  for (const type of ['net', 'http'] as const) {
    it(`of ${type} on a Unix socket works, without options that such sockets do not know`, async () => {
      const path = JSON.stringify(`unix-${type}`);
      const source = oneConnection(PROTOCOLS[type] as Protocol, `server.listen(${path})`);
      const { report, code, stderr } = await runApp('mjs', source);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(report?.listeners[0]?.address).to.equal(`unix-${type}`);
      expect(Object.keys(verdicts(report?.listeners[0]?.outcomes ?? []))).to.include.members(Object.keys(TUNED));
      for (const verdict of Object.values(verdicts(report?.listeners[0]?.outcomes ?? [])))
        expect(verdict).to.equal('unneeded');
    });
  }

  it('that cannot bind emits its error as ever, and is in no report', async () => {
    const source = `
import { createServer } from 'node:net';
const first = createServer().listen(0, '127.0.0.1', () => {
  const second = createServer();
  second.on('error', ({ code, syscall }) => { console.log(code, syscall, second.listening); first.close(); });
  second.listen(first.address().port, '127.0.0.1');
});`;
    const { report, stdout, stderr } = await runApp('mjs', source);
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'EADDRINUSE listen false\n', stderr: '' });
    expect(report?.listeners).to.have.length(1);
  });

  it('that is closed in the moment in which it listens does no harm', async () => {
    const source = `
import { createServer, Server } from 'node:net';
const server = createServer();
server.listen(0, '127.0.0.1').close(() => console.log('closed'));
const other = createServer((socket) => { socket.destroy(); other.close(); });
other.listen(0, '127.0.0.1', async () => (await import('node:net')).connect(other.address().port, '127.0.0.1'));`;
    const { stdout, stderr, code } = await runApp('mjs', source);
    expect({ stdout, stderr, code }).to.deep.equal({ stdout: 'closed\n', stderr: '', code: 0 });
  });

  it('lets the app that wants Nagle have it', async () => {
    const source = oneConnection({
      ...http,
      server: `createServer({ noDelay: false }, (request, response) => response.end('hello'))`,
    });
    const { report } = await runApp('mjs', source);
    const { outcomes = [], accepted = [] } = report?.listeners[0] ?? {};
    expect([...outcomes, ...accepted].map(({ constant }) => constant)).not.to.include('TCP_NODELAY');
    expect(verdicts(outcomes)).to.include({ TCP_KEEPIDLE: 'applied' });
  });

  it('looks to the app as ever', async () => {
    const source = `
import { createServer, Server, Socket } from 'node:net';
import { createServer as createHttp } from 'node:http';
const describe = (object, name) => {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  return descriptor && { ...descriptor, value: [descriptor.value?.name, descriptor.value?.length] };
};
const server = createHttp().listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify([
    Object.keys(globalThis), Object.getOwnPropertyNames(globalThis),
    Object.keys(server).sort(), server.eventNames().map(String), server.listenerCount('connection'),
    Object.getOwnPropertyNames(Server.prototype), Object.getOwnPropertyNames(Socket.prototype),
    describe(Server.prototype, '_listen2'), describe(Server.prototype, 'listen'), describe(server, '_handle').enumerable,
    ...['_writeGeneric', '_unrefTimer', '_destroy', 'setNoDelay', 'setKeepAlive'].map((name) => describe(Socket.prototype, name)),
    process.eventNames().map(String).filter((name) => name !== 'exit')
  ]));
  server.close();
});`;
    const [stock, tuned] = await Promise.all([runApp('mjs', source, { preload: [] }), runApp('mjs', source)]);
    expect(JSON.parse(tuned.stdout)).to.deep.equal(JSON.parse(stock.stdout));
    expect(tuned.report?.listeners).to.have.length(1);
  });

  it('has keepalive on its connections by the kernel’s own account, with the idle time of the preset', async function () {
    if (!hasProgram('ss')) return skipWithout(this, 'ss');
    const idleTimes: string[] = [];
    for (const preset of ['none', 'default', 'lowlatency']) {
      const app = startApp(
        'mjs',
        `
import { createServer, connect } from 'node:net';
const server = createServer((socket) => console.log('port', server.address().port));
server.listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1'));`,
        { env: { SOCKET_TUNE_PRESET: preset } },
      );
      const [, port] = await app.until(/port (\d+)/);
      const sockets = execFileSync('ss', ['-tnoH', 'state', 'established', `( sport = :${port} )`], {
        encoding: 'utf8',
      });
      app.child.kill();
      await app.ended;
      const [, idle = 'no keepalive'] = /timer:\(keepalive,([\d.]+(?:sec|min)\d*)/.exec(sockets) ?? [];
      idleTimes.push(idle);
    }
    expect(idleTimes[0]).to.equal('no keepalive');
    // What is left of 60 and of 30 seconds.
    expect(idleTimes[1]).to.match(/^(?:59sec|5\dsec|1min|60sec)$/);
    expect(idleTimes[2]).to.match(/^(?:30|29|2\d)sec$/);
  });
});
