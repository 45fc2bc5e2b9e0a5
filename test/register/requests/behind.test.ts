import { createRequire } from 'node:module';
import { expect } from 'chai';
import { BY_IMPORT, BY_REQUIRE, type EndedProcess, runApp } from '../../support/processes/node-process.js';

const FASTIFY = JSON.stringify(createRequire(import.meta.url).resolve('fastify'));

/** keepAliveTimeout, headersTimeout and requestTimeout, as an app reads them. */
type Times = readonly [keepAlive: number | undefined, headers: number | undefined, request: number | undefined];

const STOCK: Times = [5000, 60_000, 300_000];
const ALB: Times = [65_000, 65_000, 300_000];

/** Node 20 and 22 set no keepAliveTimeout there: such a connection may be idle without end. */
const [major = 0] = process.versions.node.split('.').map(Number);
const HTTP2_KEEP_ALIVE = major < 24 ? undefined : 65_000;

/** How servers are made, and the times that they then have behind an ALB. */
const SERVERS: Readonly<Record<string, Times>> = {
  'http.createServer()': ALB,
  'http.createServer(() => {})': ALB,
  'http.createServer({})': ALB,
  'http.createServer({ keepAliveTimeout: undefined })': ALB,
  'new http.Server()': ALB,
  'http.Server()': ALB,
  'new (class extends http.Server {})()': ALB,
  'https.createServer()': ALB,
  'https.createServer({}, () => {})': ALB,
  'new https.Server()': ALB,
  'new (class extends https.Server {})({})': ALB,
  // The app's word, however it says it, and even if it says what Node says.
  'http.createServer({ keepAliveTimeout: 5000 })': [5000, 65_000, 300_000],
  'http.createServer({ keepAliveTimeout: 0 })': [0, 65_000, 300_000],
  'http.createServer(Object.create({ keepAliveTimeout: 5000 }))': [5000, 65_000, 300_000],
  'https.createServer({ keepAliveTimeout: 5000 })': [5000, 65_000, 300_000],
  'new http.Server({ keepAliveTimeout: 5000 })': [5000, 65_000, 300_000],
  'new (class extends http.Server { constructor() { super({ keepAliveTimeout: 5000 }); } })()': [5000, 65_000, 300_000],
  'new (class extends http.Server { constructor() { super(); this.keepAliveTimeout = 5000; } })()': [
    5000, 65_000, 300_000,
  ],
  'new (class extends http.Server { keepAliveTimeout = 5000; })()': [5000, 65_000, 300_000],
  '(() => { function Old() { http.Server.call(this, { keepAliveTimeout: 5000 }); } require("util").inherits(Old, http.Server); return new Old(); })()':
    [5000, 65_000, 300_000],
  'Object.assign(http.createServer(), { keepAliveTimeout: 5000 })': [5000, 65_000, 300_000],
  'Object.defineProperty(http.createServer(), "keepAliveTimeout", { value: 5000 })': [5000, 65_000, 300_000],
  'Object.assign(http.createServer(), { headersTimeout: 60000, requestTimeout: 300000 })': [65_000, 60_000, 300_000],
  'http.createServer({ headersTimeout: 60000 })': [65_000, 60_000, 300_000],
  'http.createServer({ requestTimeout: 10000 })': [65_000, 10_000, 10_000],
  'http.createServer({ requestTimeout: 62000 })': [65_000, 62_000, 62_000],
  'http.createServer({ requestTimeout: 0 })': [65_000, 0, 0],
  // Node calls it, and once. We take it for the app's word.
  '(() => { let calls = 0; return http.createServer({ get keepAliveTimeout() { if (calls++ > 0) throw new Error(); } }); })()':
    [5000, 65_000, 300_000],
  // It is not known what these say, so that Node's times stay.
  'http.createServer(new Proxy({}, { getOwnPropertyDescriptor() { throw new Error("asked"); } }))': STOCK,
  // A server that has such a time by other means than Node's is left alone.
  'new (class extends http.Server { get keepAliveTimeout() { return 7; } set keepAliveTimeout(value) {} })()': [
    7, 65_000, 300_000,
  ],
  'http2.createSecureServer({ allowHTTP1: true })': [HTTP2_KEEP_ALIVE, 65_000, 300_000],
  'http2.createSecureServer({ allowHTTP1: true, keepAliveTimeout: 5000 })': [
    major < 24 ? undefined : 5000,
    65_000,
    300_000,
  ],
  'http2.createSecureServer({ allowHTTP1: true, http1Options: { keepAliveTimeout: 5000 } })': [
    major < 24 ? undefined : 5000,
    65_000,
    300_000,
  ],
  'http2.createSecureServer({})': [undefined, undefined, undefined],
  'http2.createServer()': [undefined, undefined, undefined],
  'require("net").createServer()': [undefined, undefined, undefined],
  'fastify().server': [72_000, 65_000, 0],
};

/** Behind Google's load balancer. */
const LONGER: Readonly<Record<string, Times>> = {
  'http.createServer()': [650_000, 650_000, 650_000],
  'http.createServer({ requestTimeout: 100000 })': [650_000, 100_000, 100_000],
  'fastify().server': [650_000, 650_000, 0],
  'fastify({ keepAliveTimeout: 72000 }).server': [72_000, 650_000, 0],
  'fastify({ requestTimeout: 9000 }).server': [650_000, 650_000, 9000],
  'fastify({ serverFactory: (handler) => http.createServer({ keepAliveTimeout: 5000 }, handler) }).server': [
    5000, 650_000, 650_000,
  ],
};

const PRELUDE = `const http = require('http'), https = require('https'), http2 = require('http2'), fastify = require(${FASTIFY});
const times = (server) => [server.keepAliveTimeout, server.headersTimeout, server.requestTimeout];
const print = (value) => console.log(JSON.stringify(value));`;

function parsed({ code, stderr, stdout }: EndedProcess): unknown[] {
  expect([code, stderr]).to.deep.equal([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** The times of servers when they have been made, and when they listen. */
async function timesOf(behind: string, servers: readonly string[]): Promise<Record<string, unknown>> {
  const source = `${PRELUDE}
(async () => {
  for (const make of [${servers.map((server) => `() => ${server}`).join(', ')}]) {
    const server = make();
    const made = times(server);
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    print([made, times(server)]);
    server.close();
  }
})();`;
  const lines = parsed(await runApp('cjs', source, { env: { SOCKET_TUNE_BEHIND: behind } }));
  return Object.fromEntries(servers.map((server, index) => [server, lines[index]]));
}

function twice(servers: Readonly<Record<string, Times>>): unknown {
  const rows = Object.entries(servers).map(([server, times]) => [server, [times, times]]);
  return JSON.parse(JSON.stringify(Object.fromEntries(rows)));
}

describe('servers with something in front of them', () => {
  it('keep idle connections longer than it, where the app has left that to Node', async () => {
    expect(await timesOf('alb', Object.keys(SERVERS))).to.deep.equal(twice(SERVERS));
  });

  it('have none of their times cut it short', async () => {
    expect(await timesOf('gcp', Object.keys(LONGER))).to.deep.equal(twice(LONGER));
  });

  it('are as Node makes them without the variable', async () => {
    const servers = {
      'http.createServer()': STOCK,
      'https.createServer()': STOCK,
      'fastify().server': [72_000, 60_000, 0],
    };
    expect(await timesOf('off', Object.keys(servers))).to.deep.equal(twice(servers as never));
  });

  const show = 'console.log([server.keepAliveTimeout, server.headersTimeout].join());';
  const first: Readonly<Record<string, ['cjs' | 'mjs', string]>> = {
    'required http': ['cjs', `const server = require('http').createServer(); ${show}`],
    'required a class': ['cjs', `const { Server } = require('http'); const server = new Server(); ${show}`],
    'required https': ['cjs', `const server = require('https').createServer(); ${show}`],
    'required net before': ['cjs', `require('net'); const server = require('https').createServer(); ${show}`],
    'imported a name': ['mjs', `import { createServer } from 'http'; const server = createServer(); ${show}`],
    'imported a class': ['mjs', `import { Server } from 'node:https'; const server = new Server(); ${show}`],
    'imported the default': ['mjs', `import http from 'node:http'; const server = http.createServer(); ${show}`],
    'imported all': ['mjs', `import * as http from 'http'; const server = http.createServer(); ${show}`],
  };
  for (const [way, [type, source]] of Object.entries(first)) {
    for (const preload of [BY_IMPORT, BY_REQUIRE]) {
      it(`are met when they are made by an app that has ${way}, with ${preload[0]}`, async () => {
        const { stdout, stderr } = await runApp(type, source, { preload, env: { SOCKET_TUNE_BEHIND: '75s' } });
        expect([stdout, stderr]).to.deep.equal(['82000,82000\n', '']);
      });
    }
  }

  it('look as they do in stock Node, but for the numbers', async () => {
    const source = `${PRELUDE}
const { inspect } = require('util');
// Node makes sessionIdContext from the command line.
const fixed = (text) => text.replace(/(Timeout: )\\d+/g, '$1N').replace(/sessionIdContext: '\\w+'/, '');
for (const server of [http.createServer(), https.createServer(), new (class Mine extends http.Server {})()]) {
  print([Object.keys(server), fixed(inspect(server)), Object.getOwnPropertySymbols(server).map(String)]);
  for (const name of ['keepAliveTimeout', 'headersTimeout', 'requestTimeout'])
    print({ ...Object.getOwnPropertyDescriptor(server, name), value: 0 });
}
for (const module of [http, https, http2])
  print([Object.keys(module), inspect(module.Server), inspect(module.createServer), inspect(module.createSecureServer),
    [module.Server, module.createServer, module.createSecureServer].map((each) => each && [each.name, each.length])]);
print([fastify().initialConfig.keepAliveTimeout]);`;
    const [stock, tuned] = await Promise.all([
      runApp('cjs', source, { preload: [] }),
      runApp('cjs', source, { env: { SOCKET_TUNE_BEHIND: 'nginx' } }),
    ]);
    expect(parsed(tuned)).to.deep.equal(parsed(stock));
  });

  it('tell the client how long, by Keep-Alive', async () => {
    const source = `${PRELUDE}
const server = http.createServer((request, response) => response.end()).listen(0, '127.0.0.1', async () => {
  const { headers } = await fetch('http://127.0.0.1:' + server.address().port);
  print(headers.get('keep-alive'));
  server.close();
  server.closeAllConnections();
});`;
    const [told] = parsed(await runApp('cjs', source, { env: { SOCKET_TUNE_BEHIND: 'azure' } }));
    expect(told).to.equal('timeout=260');
  });

  it('that were made before are met when they listen', async () => {
    const source = `import http, { createServer } from 'node:http';
const [early, own] = [http.createServer(), http.createServer({ keepAliveTimeout: 9000 })];
const { install } = await import('socket-tune');
const uninstall = install({ behind: 'nginx' });
const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => server.close(resolve)));
const servers = [early, own, http.createServer(), createServer({ keepAliveTimeout: 9000 })];
for (const server of servers) await listen(server);
uninstall();
servers.push(http.createServer());
await listen(servers.at(-1));
console.log(JSON.stringify(servers.map((server) => server.keepAliveTimeout)));`;
    const [times] = parsed(await runApp('mjs', source, { preload: [] }));
    expect(times).to.deep.equal([65_000, 9000, 65_000, 9000, 5000]);
  });

  it('count the connections that Node closes because they are idle, and no others', async () => {
    const source = `const http = require('http'), net = require('net');
const server = http.createServer({ keepAliveTimeout: 50 }, (request, response) => {
  if (request.url === '/slow') response.setTimeout(50);
  else response.end('ok');
});
server.keepAliveTimeoutBuffer = 0;
server.on('upgrade', (request, socket) => { socket.on('error', () => {}).setTimeout(50, () => socket.destroy()); socket.write('HTTP/1.1 101 Upgraded\\r\\n\\r\\n'); });
const ends = (head) => new Promise((resolve) => {
  const client = net.connect(server.address().port, '127.0.0.1', () => client.write(head + ' HTTP/1.1\\r\\nHost: a\\r\\n' + (head.includes('up') ? 'Connection: Upgrade\\r\\nUpgrade: x\\r\\n' : '') + '\\r\\n'));
  client.resume().on('error', () => {}).on('close', resolve);
});
server.listen(0, '127.0.0.1', async () => {
  await Promise.all(['GET /', 'GET /', 'GET /slow', 'GET /up'].map(ends));
  server.close();
});`;
    const { report, stderr } = await runApp('cjs', source, { env: { SOCKET_TUNE_BEHIND: 'nginx' } });
    expect(stderr).to.equal('');
    expect(report?.requests).to.include({ idleClosed: 2 });
    const stock = await runApp('cjs', source);
    expect(stock.report?.requests).not.to.have.property('idleClosed');
  });
});
