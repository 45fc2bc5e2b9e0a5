import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect } from 'chai';
import { BY_IMPORT, type EndedProcess, runApp } from '../../support/processes/node-process.js';
import { echoPeer, type Peer } from '../../support/sockets/outgoing.js';
import { SHARED_KEY } from '../../support/sockets/secure-pair.js';
import { listening, portOf } from '../../support/sockets/socket-pair.js';

/** The default, with a short time: connections are guarded after a twentieth of it. */
const GUARD = { SOCKET_TUNE_CONNECT_DEAD_PEER: '2s' };

/** What an app can see of the process, and of a socket. */
const WITNESS = `
const net = require('node:net');
const fs = require('node:fs');
const { once, EventEmitter } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const [echo, secure, web, web2, path] = process.argv.slice(2).map((text) => Number(text) || text);
const print = (...words) => fs.writeSync(1, words.map((word) => JSON.stringify(word)).join(' ') + '\\n');
const seenOf = (socket) => ({
  listeners: socket.eventNames().map((name) => [String(name), socket.listeners(name).map(({ name }) => name)]),
  keys: Reflect.ownKeys(socket).map(String),
  timeout: socket.timeout,
});
const look = (when, socket) => {
  const resources = process.getActiveResourcesInfo().sort();
  const handles = process._getActiveHandles().map((handle) => handle.constructor.name).sort();
  const descriptors = fs.readdirSync('/proc/self/fd').length;
  const events = process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
  print(when, { resources, handles, descriptors, events, ...(socket && seenOf(socket)) });
};
/** Until the loader of modules has closed its files. */
const LOADED_MS = 100;
/** Until the guard is set on a connection. */
const guarded = () => sleep(400);
/** Talk on a socket that hears what it says, and see it at each moment. */
const talk = async (socket, connected = 'connect') => {
  look('made', socket);
  await once(socket, connected);
  look('connected', socket);
  await guarded();
  look('later', socket);
  const heard = once(socket, 'data');
  socket.write('x');
  print(String((await heard)[0]).slice(-1));
  socket.end();
  await once(socket, 'close');
  look('closed', socket);
};
const KEY = Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex');
const SECURE = {
  ciphers: 'PSK+HIGH', maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined,
  pskCallback: () => ({ psk: KEY, identity: 'unit tests' }),
};
`;

interface App {
  readonly source: string;
  /** How many connections are guarded at its end. */
  readonly guarded: number;
}

const talks = (socket: string, connected = 'connect'): string =>
  `const socket = ${socket}; socket.once('data', () => undefined); talk(socket, '${connected}');`;

const APPS: Readonly<Record<string, App>> = {
  'a plain socket': { source: talks("net.connect(echo, '127.0.0.1')"), guarded: 1 },
  'a socket over IPv6 that has to try': {
    source: talks(`net.connect({ port: echo, host: 'x', lookup: (name, options, callback) =>
      setTimeout(callback, 1, null, [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]) })`),
    guarded: 1,
  },
  'a socket with a timeout and keepalive of its own': {
    source: `const socket = net.connect({ port: echo, host: '127.0.0.1', keepAlive: true, noDelay: true });
      socket.setTimeout(30_000).setKeepAlive(false);
      socket.once('data', () => undefined);
      talk(socket);`,
    guarded: 1,
  },
  'a TLS socket': {
    source: talks("require('node:tls').connect({ port: secure, host: '127.0.0.1', ...SECURE })", 'secureConnect'),
    guarded: 1,
  },
  'a TLS socket upon a socket of the app': {
    source: `const below = net.connect(secure, '127.0.0.1', async () => {
        await guarded();
        const socket = require('node:tls').connect({ socket: below, ...SECURE });
        await talk(socket, 'secureConnect');
        look('below', below);
      });`,
    guarded: 1,
  },
  'a Unix socket': { source: talks('net.connect(path)'), guarded: 0 },
  'a socket of a handle': {
    source: `const first = net.connect(echo, '127.0.0.1').once('data', async () => {
        const handle = first._handle;
        handle.readStop();
        const socket = new net.Socket({ handle });
        look('made', socket);
        await guarded();
        socket.write('x');
        socket.once('data', (data) => { print(String(data)); socket.destroy(); });
        await once(socket, 'close');
        first._handle = null;
        first.destroy();
        await once(first, 'close');
        look('closed', socket);
      });`,
    guarded: 1,
  },
  'a socket of a descriptor': {
    source: `const socket = new net.Socket({ fd: fs.openSync(path + '.fifo', 'r+') });
      look('made', socket);
      socket.write('x');
      socket.once('data', async (data) => {
        print(String(data));
        await guarded();
        socket.destroy();
        await once(socket, 'close');
        look('closed', socket);
      });`,
    guarded: 0,
  },
  'the pool of an http.Agent': {
    source: `const http = require('node:http');
      const agent = new http.Agent({ keepAlive: true });
      (async () => {
        for (let round = 0; round < 4; round++) {
          const request = http.get({ host: '127.0.0.1', port: web, agent });
          const [response] = await once(request, 'response');
          const { socket } = response;
          look('answered', socket);
          await once(response.resume(), 'end');
          await guarded();
          look('free', socket);
          print(request.reusedSocket, Object.keys(agent.freeSockets).map((name) => agent.freeSockets[name].length));
        }
        agent.destroy();
        await sleep(50);
        look('in the end');
      })();`,
    guarded: 1,
  },
  'the pool of fetch': {
    source: `(async () => {
        for (let round = 0; round < 4; round++) {
          print(await (await fetch('http://127.0.0.1:' + web)).text());
          await guarded();
          look('free');
        }
      })();`,
    guarded: 1,
  },
  'a session of http2': {
    source: `const session = require('node:http2').connect('http://127.0.0.1:' + web2);
      session.on('connect', async () => {
        look('connected');
        for (let round = 0; round < 2; round++) {
          const stream = session.request({ ':path': '/' });
          stream.setEncoding('utf8').on('data', (text) => print(text));
          await once(stream, 'close');
          await guarded();
        }
        look('answered');
        session.close();
        await once(session, 'close');
        look('closed');
      });`,
    guarded: 1,
  },
  'a socket that is let go, as the app is done': {
    source: `const socket = net.connect(echo, '127.0.0.1').once('data', () => {
        look('connected', socket);
        socket.unref();
        look('let go', socket);
      });
      process.on('exit', (code) => print('ended with', code));`,
    guarded: 0,
  },
  'a socket that is let go, while the app goes on': {
    source: `const socket = net.connect(echo, '127.0.0.1').once('data', async () => {
        socket.unref();
        await guarded();
        look('later', socket);
      });
      process.on('exit', (code) => print('ended with', code));`,
    guarded: 1,
  },
  'a socket that is let go before it is connected': {
    source: `net.connect(echo, '127.0.0.1').unref();
      process.on('exit', (code) => print('ended with', code));`,
    guarded: 0,
  },
  'a worker thread': {
    source: `const { Worker, isMainThread } = require('node:worker_threads');
      if (isMainThread) {
        const worker = new Worker(__filename, { argv: process.argv.slice(2) });
        worker.on('exit', (code) => print('thread ended with', code));
      } else {
        ${talks("net.connect(echo, '127.0.0.1')")}
      }`,
    // The report is the main thread's.
    guarded: 0,
  },
  'a worker of a cluster': {
    source: `const cluster = require('node:cluster');
      if (cluster.isPrimary) {
        cluster.fork().on('exit', (code, signal) => print('worker ended with', code, signal));
      } else {
        const socket = net.connect(echo, '127.0.0.1');
        socket.once('data', () => undefined);
        talk(socket).then(() => cluster.worker.disconnect());
      }`,
    guarded: 0,
  },
};

describe('an app whose outgoing connections are guarded, by default', () => {
  let directory: string;
  const peers: Peer[] = [];
  const servers: Server[] = [];
  let args: string[];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    directory = mkdtempSync(join(tmpdir(), 'socket-tune-guarded-'));
    const path = join(directory, 'socket');
    const unix = createServer((socket: Socket) => {
      socket.write('hello');
      socket.pipe(socket);
    });
    await listening(unix, path);
    execFileSync('mkfifo', [`${path}.fifo`]);
    const web = http.createServer({ keepAliveTimeout: 60_000 }, (_request, response) => response.end('ok'));
    const web2 = http2.createServer((_request, response) => response.end('ok'));
    for (const server of [web, web2 as unknown as Server]) await listening(server);
    peers.push(await echoPeer(), await echoPeer(tls.createServer(SHARED_KEY)));
    servers.push(unix, web, web2 as unknown as Server);
    args = [...peers.map(({ port }) => port), portOf(web), portOf(web2 as unknown as Server), path].map(String);
  });

  after(() => {
    for (const peer of peers) peer.close();
    for (const server of servers) server.close();
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  for (const [what, { source, guarded }] of Object.entries(APPS)) {
    it(`sees the same of itself and its sockets as in stock Node: ${what}`, async () => {
      const run = (preload: readonly string[], env: Record<string, string>): Promise<EndedProcess> =>
        runApp('cjs', `${WITNESS}setTimeout(() => {${source}}, LOADED_MS);`, {
          preload,
          args,
          env: { ...GUARD, ...env },
        });
      const quiet = { SOCKET_TUNE_REPORT: '' };
      const stock = await run([], quiet);
      expect(stock).to.include({ code: 0, signal: null, stderr: '' });
      expect(stock.stdout).not.to.equal('');
      const tuned = await run(BY_IMPORT, quiet);
      expect({ ...tuned, stdout: tuned.stdout.split('\n') }).to.deep.equal({
        ...stock,
        stdout: stock.stdout.split('\n'),
      });
      // Its report writes at the exit, and that the app would see.
      const reporting = await run(BY_IMPORT, {});
      expect(reporting.report?.outgoing.sockets).to.equal(guarded);
    });
  }
});
