import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { type AppOptions, BY_IMPORT, startApp } from '../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../support/processes/program.js';
import { readReports, reportPattern, sharesPort } from '../support/processes/reports.js';
import { writeApp } from '../support/processes/scratch-project.js';
import { traceNode } from '../support/processes/strace.js';

const ON = { SOCKET_TUNE_REUSEPORT: 'on' };

interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly primary: Report | undefined;
  readonly workers: readonly Report[];
}

async function run(type: 'mjs' | 'cjs', source: string, { env, ...options }: AppOptions): Promise<Run> {
  const pattern = reportPattern();
  const { child, ended } = startApp(type, source, { ...options, env: { ...env, SOCKET_TUNE_REPORT: pattern } });
  const { stdout, stderr } = await ended;
  const reports = readReports(pattern);
  const workers = [...reports].flatMap(([pid, report]) => (pid === child.pid ? [] : [report]));
  return { stdout, stderr, primary: reports.get(child.pid ?? 0), workers };
}

function sharing({ listeners }: Report): number {
  return listeners.filter(sharesPort).length;
}

describe('a program that forks workers', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('may import fork() by its name', async () => {
    const source = `
import cluster, * as exported from 'node:cluster';
// Workers have no such export.
const { fork, isPrimary } = exported;
import { createServer } from 'node:http';
if (isPrimary) {
  console.log(fork.name, fork.length, fork === cluster.fork, Object.keys(Object.getOwnPropertyDescriptor(cluster, 'fork')).join());
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening === 2) cluster.disconnect();
  });
  fork();
  fork({ OWN: 'value' });
  console.log(Object.keys(cluster.workers).join());
} else {
  createServer().listen(0);
}`;
    const [stock, tuned] = [await run('mjs', source, { preload: [] }), await run('mjs', source, { env: ON })];
    expect([tuned.stdout, tuned.stderr]).to.deep.equal([stock.stdout, '']);
    expect(stock.stdout).to.equal(' 1 true value,writable,enumerable,configurable\n1,2\n');
    expect(tuned.workers.map(sharing)).to.deep.equal([1, 1]);
  });

  it('shows workers, their threads and what they start the variables that the app has set, and none of ours', async () => {
    const source = `
const cluster = require('node:cluster');
const { spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const own = (text) => text.filter((name) => name.includes('SOCKET_TUNE') || name === 'OWN').sort().join();
if (cluster.isPrimary) {
  const worker = cluster.fork({ OWN: 'value' });
  worker.on('exit', (code) => console.log('exit', code));
} else {
  const child = spawnSync(process.execPath, ['-p', 'Object.keys(process.env).join()'], { env: process.env });
  require('node:net').createServer().listen(0, function () {
    console.log('worker', own(Object.keys(process.env)), process.env.OWN, 'SOCKET_TUNE_CLUSTER_PRIMARY' in process.env);
    console.log('child', own(String(child.stdout).trim().split(',')));
    new Worker('require("node:worker_threads").parentPort.postMessage(Object.keys(process.env))', { eval: true })
      .on('message', (names) => console.log('thread', own(names)))
      .on('exit', () => process.disconnect());
    this.close();
  });
}`;
    const { stdout, stderr, workers } = await run('cjs', source, { env: ON });
    const names = 'OWN,SOCKET_TUNE_REPORT,SOCKET_TUNE_REUSEPORT';
    expect(stderr).to.equal('');
    expect(stdout).to.equal(`worker ${names} value false\nchild ${names}\nthread ${names}\nexit 0\n`);
    expect(workers.map(sharing)).to.deep.equal([1]);
  });

  for (const policy of ['SCHED_NONE', 'SCHED_RR']) {
    it(`has listeners in each worker, whatever cluster.schedulingPolicy says: ${policy}`, async () => {
      const source = `
const cluster = require('node:cluster');
cluster.schedulingPolicy = cluster.${policy};
if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening === 2) cluster.disconnect();
  });
  cluster.fork();
  cluster.fork();
  console.log(cluster.schedulingPolicy === cluster.${policy});
} else require('node:net').createServer().listen(0);`;
      const { stdout, workers } = await run('cjs', source, { env: ON });
      expect(stdout).to.equal('true\n');
      expect(workers.map(sharing)).to.deep.equal([1, 1]);
    });
  }

  it('has workers that refuse what is beyond their maxConnections, each by itself', async () => {
    const source = `
const cluster = require('node:cluster');
const net = require('node:net');
const { once } = require('node:events');
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.once('listening', async ({ port }) => {
    const first = net.connect(port, '127.0.0.1');
    console.log('first', String(await once(first, 'data')));
    const second = net.connect(port, '127.0.0.1').on('error', () => undefined);
    await once(second, 'close');
    console.log('second', second.bytesRead);
    first.destroy();
    worker.disconnect();
  });
} else {
  const server = net.createServer((socket) => socket.write('hello')).listen(0, '127.0.0.1');
  server.maxConnections = 1;
  server.on('drop', ({ remoteAddress }) => console.log('drop', remoteAddress));
}`;
    const { stdout } = await run('cjs', source, { env: ON });
    expect(stdout.trimEnd().split('\n').sort()).to.deep.equal(['drop 127.0.0.1', 'first hello', 'second 0']);
  });

  it('has workers without the preload, which share the port all the same', async () => {
    const source = `
const cluster = require('node:cluster');
const net = require('node:net');
const { once } = require('node:events');
if (cluster.isPrimary) {
  cluster.setupPrimary({ execArgv: [] });
  (async () => {
    const workers = [cluster.fork(), cluster.fork()];
    const [[{ port }]] = await Promise.all(workers.map((worker) => once(worker, 'listening')));
    const answers = new Set();
    while (answers.size < 2) answers.add(String(await once(net.connect(port, '127.0.0.1'), 'data')));
    const gone = once(workers[0], 'exit');
    workers[0].disconnect();
    await gone;
    for (let round = 0; round < 8; round++) answers.add('then ' + (await once(net.connect(port, '127.0.0.1'), 'data')));
    console.log([...answers].sort().join());
    cluster.disconnect();
  })();
} else net.createServer((socket) => socket.end(String(cluster.worker.id))).listen(0, '127.0.0.1');`;
    const { stdout, primary, workers } = await run('cjs', source, { env: ON });
    expect(stdout).to.equal('1,2,then 2\n');
    expect(workers).to.deep.equal([]);
    expect(primary === undefined ? 0 : sharing(primary)).to.equal(1);
  });

  it('costs no system call of ours on a connection', async function () {
    if (!hasProgram('strace')) skipWithout(this, 'strace');
    const app = writeApp(
      'traced-cluster.cjs',
      `
const cluster = require('node:cluster');
const http = require('node:http');
const { once } = require('node:events');
cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isPrimary) {
  (async () => {
    const workers = [cluster.fork(), cluster.fork()];
    const [[{ port }]] = await Promise.all(workers.map((worker) => once(worker, 'listening')));
    const answers = new Set();
    let count = 0;
    const ask = async () => {
      count++;
      const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
      answers.add(String(await once(response, 'data')));
    };
    while (answers.size < 2) await ask();
    for (let more = Number(process.argv[2]); more > 0; more--) await ask();
    console.log(count);
    cluster.disconnect();
  })();
} else http.createServer((_, response) => response.end(String(cluster.worker.id))).listen(0, '127.0.0.1');`,
    );
    const perConnection = async (preload: readonly string[], env: Readonly<Record<string, string>>) => {
      const names = ['setsockopt', 'getsockopt', 'getsockname', 'fcntl', 'ioctl'];
      const counted = async (more: number) => {
        const { calls, stdout } = await traceNode(names, [...preload, app, String(more)], { env });
        return {
          connections: Number(stdout),
          calls: names.map((name) => calls.filter((call) => call.name === name).length),
        };
      };
      const [few, many] = [await counted(0), await counted(60)];
      const connections = many.connections - few.connections;
      return Object.fromEntries(
        names.map((name, index) => [
          name,
          // Not -0, which is another value to chai.
          0 + Math.round(((many.calls[index] ?? 0) - (few.calls[index] ?? 0)) / connections),
        ]),
      );
    };
    const [stock, tuned] = [await perConnection([], {}), await perConnection(BY_IMPORT, ON)];
    expect(tuned).to.deep.equal(stock);
  });
});
