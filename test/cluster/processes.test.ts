import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runApp, runNode } from '../support/processes/node-process.js';
import { sharesPort } from '../support/processes/reports.js';
import { freePort } from '../support/sockets/free-port.js';
import { skip } from '../support/test-run/skipped.js';
import { preloadFile } from './ways.js';

const program = join(import.meta.dirname, 'processes.js');

/** A network namespace in which the kernel moves the connections of a closed listener to another one. */
const MIGRATING = [
  'unshare',
  '--net',
  'sh',
  '-c',
  'ip link set lo up && echo 1 >/proc/sys/net/ipv4/tcp_migrate_req && exec "$@"',
  'sh',
];

function canMigrate(): boolean {
  if (!existsSync('/proc/sys/net/ipv4/tcp_migrate_req')) return false;
  return spawnSync('unshare', [...MIGRATING.slice(1), 'true']).status === 0;
}

interface Outcome {
  readonly failures: Readonly<Record<string, number>>;
  readonly servers: number;
  readonly drains: number;
}

async function run(manner: 'close' | 'again', under: readonly string[] = []): Promise<Outcome> {
  const { stdout, stderr } = await runNode([program, manner, preloadFile(), String(await freePort())], {
    env: { SOCKET_TUNE_REUSEPORT: 'on', NODE_DEBUG: 'socket-tune' },
    under,
    timeout: 60_000,
  });
  const drains = [...stderr.matchAll(/drained port \d+/g)].length;
  return { ...(JSON.parse(stdout) as Omit<Outcome, 'drains'>), drains };
}

describe('processes that share a port', () => {
  before(function () {
    // Node 26 resets a few connections when it closes a server, stock as well (npm run bench -- --only restarts).
    if (process.platform !== 'linux' || Number.parseInt(process.versions.node, 10) >= 26) this.skip();
  });

  it('lose no connection when one of them closes its server, which drains', async () => {
    expect(await run('close')).to.deep.equal({ failures: {}, servers: 6, drains: 4 });
  });

  it('lose none when a server closes and listens again at once', async () => {
    expect(await run('again')).to.deep.equal({ failures: {}, servers: 2, drains: 4 });
  });

  it('lose none where the kernel moves connections to another listener, and need not drain', async function () {
    if (!canMigrate()) skip(this, 'no network can be made here');
    expect(await run('close', MIGRATING)).to.deep.equal({ failures: {}, servers: 6, drains: 0 });
  });

  it('still are told when somebody has the port for himself', async () => {
    const source = `
const net = require('node:net');
const server = net.createServer().listen(Number(process.argv[2]), '127.0.0.1');
server.on('listening', () => console.log('listens')).on('error', ({ message }) => console.log(message.replace(/\\d+$/, 'PORT')));
server.on('listening', () => server.close());`;
    const holder = `
const net = require('node:net');
const { spawnSync } = require('node:child_process');
net.createServer().listen(0, '127.0.0.1', function () {
  const env = { ...process.env, SOCKET_TUNE_REUSEPORT: 'on' };
  const args = ['--import', 'socket-tune/register', '-e', process.argv[2], String(this.address().port)];
  // With -e, arguments begin at 1.
  args[3] = args[3].replace('argv[2]', 'argv[1]');
  process.stdout.write(spawnSync(process.execPath, args, { env }).stdout);
  this.close();
});`;
    const { stdout } = await runApp('cjs', holder, { preload: [], args: [source] });
    expect(stdout).to.equal('listen EADDRINUSE: address already in use 127.0.0.1:PORT\n');
  });

  it('do not share one with themselves: EADDRINUSE, as ever, and none once it is closed', async () => {
    const source = `
const net = require('node:net');
const { once } = require('node:events');
const settle = async (...place) => {
  const server = net.createServer().listen(...place);
  const what = await once(server, 'listening').then(() => 'listens', ({ code }) => code);
  console.log(JSON.stringify(place.slice(1)), what);
  return server;
};
(async () => {
  const port = Number(process.argv[2]);
  const first = await settle(port, '127.0.0.1');
  await settle(port, '127.0.0.1');
  await settle(port, '0.0.0.0');
  await settle(port);
  const others = [await settle(port, '127.0.0.2'), await settle(port, '::1')];
  first.close();
  const again = await settle(port, '127.0.0.1');
  for (const server of [again, ...others]) server.close();
  const all = await settle(port);
  await settle(port, '127.0.0.1');
  await settle({ port, host: '::', ipv6Only: true });
  all.close();
  const six = await settle({ port, host: '::', ipv6Only: true });
  (await settle(port, '127.0.0.1')).close();
  six.close();
})();`;
    const port = String(await freePort());
    const [stock, tuned] = [
      await runApp('cjs', source, { preload: [], args: [port] }),
      await runApp('cjs', source, { env: { SOCKET_TUNE_REUSEPORT: 'on' }, args: [port] }),
    ];
    expect(tuned.stdout).to.equal(stock.stdout);
    expect(stock.stdout.match(/EADDRINUSE/g)).to.have.length(5);
    const shared = tuned.report?.listeners.filter(sharesPort);
    expect(shared).to.have.length(7);
  });

  it('are those of worker threads as well: when one thread is terminated, the other goes on', async () => {
    const source = `
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Worker, isMainThread, parentPort, threadId, workerData } from 'node:worker_threads';
if (isMainThread) {
  const port = Number(process.argv[2]);
  const start = async () => {
    const thread = new Worker(new URL(import.meta.url), { workerData: port });
    const [what] = await once(thread, 'message');
    console.log(what);
    return thread;
  };
  const answers = async (count) => {
    const found = new Set();
    for (let round = 0; round < count; round++) {
      const socket = connect(port, '127.0.0.1');
      const [data] = await once(socket, 'data');
      found.add(String(data));
    }
    return [...found].sort().join(' and ');
  };
  const threads = [await start(), await start()];
  console.log(await answers(60));
  await threads[0].terminate();
  console.log(await answers(20));
  const third = await start();
  console.log(await answers(60));
  await threads[1].terminate();
  await third.terminate();
} else {
  const server = createServer((socket) => socket.end('thread ' + threadId));
  server.on('error', ({ code }) => parentPort.postMessage(code));
  server.listen(workerData, '127.0.0.1', () => parentPort.postMessage('listens'));
}`;
    const args = [String(await freePort())];
    const { stdout, stderr, code } = await runApp('mjs', source, { env: { SOCKET_TUNE_REUSEPORT: 'on' }, args });
    expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
    const lines = ['listens', 'listens', 'thread 1 and thread 2', 'thread 2', 'listens', 'thread 2 and thread 3'];
    expect(stdout.trimEnd().split('\n')).to.deep.equal(lines);
  });
});
