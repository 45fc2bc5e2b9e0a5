import { expect } from 'chai';
import { runHandover, TUNED, UNTOUCHED } from '../../support/processes/handed-over.js';
import { BY_IMPORT, BY_REQUIRE, runApp } from '../../support/processes/node-process.js';

/** The values of keepalive if the app has turned it off: ours are not set then. */
const { SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT } = UNTOUCHED;
const KEEPALIVE_OFF = { SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT };

const MODULES = "const tls = require('tls'), https = require('https'), http2 = require('http2');";

/** How servers are made, and what their connections have. */
const SERVERS: Readonly<Record<string, object>> = {
  'net.createServer()': TUNED,
  'net.createServer(() => {})': TUNED,
  'net.createServer({})': TUNED,
  'net.createServer({ noDelay: undefined, keepAlive: undefined })': TUNED,
  'net.createServer({ noDelay: true, keepAlive: true })': { ...TUNED, TCP_KEEPIDLE: undefined },
  'net.createServer({ noDelay: false })': { ...TUNED, TCP_NODELAY: 0 },
  'net.createServer({ noDelay: 0 })': { ...TUNED, TCP_NODELAY: 0 },
  'net.createServer({ keepAlive: false })': { ...TUNED, ...KEEPALIVE_OFF },
  'net.createServer({ keepAlive: true, keepAliveInitialDelay: 7000 })': { ...TUNED, TCP_KEEPIDLE: 7 },
  'new net.Server({ noDelay: false, keepAlive: false })': UNTOUCHED,
  'net.Server({ noDelay: false, keepAlive: false })': UNTOUCHED,
  'new (class extends net.Server {})({ noDelay: false })': { ...TUNED, TCP_NODELAY: 0 },
  'new (class extends net.Server {})()': TUNED,
  // Node ignores inherited properties, and calls a getter once.
  'net.createServer(Object.create({ noDelay: false }))': TUNED,
  '(() => { let calls = 0; return net.createServer({ get noDelay() { if (calls++ > 0) throw new Error(); return true; } }); })()':
    TUNED,
  'tls.createServer()': TUNED,
  'tls.createServer({ noDelay: false })': { ...TUNED, TCP_NODELAY: 0 },
  'new tls.Server({ noDelay: false, keepAlive: false })': UNTOUCHED,
  'http.createServer()': TUNED,
  'http.createServer({ keepAlive: false })': { ...TUNED, ...KEEPALIVE_OFF },
  'http.createServer({ noDelay: false })': { ...TUNED, TCP_NODELAY: 0 },
  'http.createServer({ noDelay: null })': TUNED,
  'https.createServer({})': TUNED,
  'https.createServer({ noDelay: false, keepAlive: false })': UNTOUCHED,
  'http2.createServer({ keepAlive: false })': { ...TUNED, ...KEEPALIVE_OFF },
  'http2.createSecureServer({ noDelay: false })': { ...TUNED, TCP_NODELAY: 0 },
  'Object.assign(net.createServer({ keepAlive: false }), { keepAlive: true, keepAliveInitialDelay: 9 })': {
    ...TUNED,
    TCP_KEEPIDLE: 9,
  },
};

function appOf(servers: readonly string[]): string {
  return `${MODULES}
const connectTo = (server) => new Promise((resolve) => {
  server.once('connection', (accepted) => {
    accepted.on('error', () => {});
    // Node's and our own work on 'connection' is done by then.
    setImmediate(() => { resolve(kernel(accepted)); accepted.destroy(); client.destroy(); server.close(); });
  });
  let client;
  server.listen(0, '127.0.0.1', () => {
    // Waits for data where the client speaks first.
    client = net.connect(server.address().port, '127.0.0.1', () => client.write('x')).on('error', () => {});
  });
});
(async () => {
  for (const make of [${servers.map((server) => `() => ${server}`).join(', ')}]) print(await connectTo(make()));
})();`;
}

describe('what an app says where it makes a server', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('is its word', async () => {
    const names = Object.keys(SERVERS);
    const { code, stderr, lines } = await runHandover(appOf(names), { parent: true, child: false });
    expect([code, stderr]).to.deep.equal([0, '']);
    const found = Object.fromEntries(
      names.map((name, index) => {
        const wanted = Object.entries(SERVERS[name] ?? {}).filter(([, value]) => value !== undefined);
        return [
          name,
          Object.fromEntries(wanted.map(([option]) => [option, Reflect.get(lines[index] as object, option)])),
        ];
      }),
    );
    expect(found).to.deep.equal(JSON.parse(JSON.stringify(SERVERS)));
  });

  const listen = `.listen(0, '127.0.0.1', function () { this.close(); })`;
  const first: Readonly<Record<string, ['cjs' | 'mjs', string]>> = {
    'required net': ['cjs', `require('net').createServer({ noDelay: false })${listen}`],
    'required http before': ['cjs', `require('http'); require('net').createServer({ noDelay: false })${listen}`],
    'required tls': ['cjs', `require('tls').createServer({ noDelay: false })${listen}`],
    'required http2': ['cjs', `require('http2').createSecureServer({ noDelay: false })${listen}`],
    'imported a name': ['mjs', `import { createServer } from 'net'; createServer({ noDelay: false })${listen}`],
    'imported a class': ['mjs', `import { Server } from 'node:net'; new Server({ noDelay: false })${listen}`],
    'imported all': ['mjs', `import * as net from 'net'; net.createServer({ noDelay: false })${listen}`],
    'imported the default': ['mjs', `import net from 'net'; net.createServer({ noDelay: false })${listen}`],
  };
  for (const [way, [type, source]] of Object.entries(first)) {
    for (const preload of [BY_IMPORT, BY_REQUIRE]) {
      it(`is known of the first server of an app that has ${way}, with ${preload[0]}`, async () => {
        const { report, stderr } = await runApp(type, source, { preload });
        expect(stderr).to.equal('');
        const options = report?.listeners[0]?.outcomes.map(({ option }) => option);
        expect(options).to.include('keepAlive').and.not.include('noDelay');
      });
    }
  }

  it('outweighs the value of a variable', async () => {
    const env = { SOCKET_TUNE_NODELAY: 'off', SOCKET_TUNE_PORT_1_NODELAY: 'on' };
    const app = appOf(['net.createServer({ noDelay: true })', 'net.createServer()', 'http.createServer()']);
    const { lines } = await runHandover(app, { parent: true, child: false }, env);
    expect(lines.map((line) => Reflect.get(line as object, 'TCP_NODELAY'))).to.deep.equal([1, 0, 0]);
  });
});
