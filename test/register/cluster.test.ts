import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import {
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  readReport,
  reportFile,
  runApp,
} from '../support/processes/node-process.js';

/** Two workers on one port; the primary asks until both have answered, and then lets them go. */
const source = `
const cluster = require('cluster');
const net = require('net');
const http = require('http');
const [type, exclusive] = process.argv.slice(2);
if (cluster.isPrimary) {
  const answered = new Set();
  const ports = {};
  const ask = (id) => {
    const client = net.connect(ports[id], '127.0.0.1').setEncoding('latin1');
    client.write('GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n');
    let text = '';
    client.on('data', (data) => { text += data; }).on('close', () => {
      answered.add(/worker-(\\d)/.exec(text)[1]);
      if (answered.size < 2) setTimeout(ask, 5, answered.has('1') ? 2 : 1);
      else for (const worker of Object.values(cluster.workers)) worker.send('end');
    });
  };
  cluster.on('message', (worker, port) => {
    ports[worker.id] = port;
    if (Object.keys(ports).length === 2) ask(1);
  });
  cluster.on('exit', (worker, code) => console.log('a worker ended with', code));
  cluster.fork();
  cluster.fork();
} else {
  const hello = 'worker-' + cluster.worker.id;
  const server = type === 'net'
    ? net.createServer((socket) => socket.resume().end(hello))
    : http.createServer((request, response) => response.end(hello));
  server.listen({ port: 0, host: '127.0.0.1', exclusive: exclusive === 'exclusive' });
  server.on('listening', () => process.send(server.address().port));
  process.on('message', () => server.close(() => process.disconnect()));
}`;

interface ClusterRun extends EndedProcess {
  /** Reports of all its processes. */
  readonly reports: readonly Report[];
}

async function runCluster(policy: 'rr' | 'none', args: readonly string[]): Promise<ClusterRun> {
  const pattern = reportFile().replace('.json', '-%p.json');
  const env = { SOCKET_TUNE_REPORT: pattern, NODE_CLUSTER_SCHED_POLICY: policy };
  const ended = await runApp('cjs', source, { env, args });
  const prefix = basename(pattern).replace('%p.json', '');
  const files = readdirSync(dirname(pattern)).filter((name) => name.startsWith(prefix));
  const reports = files.flatMap((name) => readReport(join(dirname(pattern), name)) ?? []);
  return { ...ended, reports };
}

function ofListeners({ reports }: ClusterRun): Report['listeners'] {
  return reports.flatMap(({ listeners }) => listeners);
}

const KEEPALIVE = { option: 'keepAliveIdle', constant: 'TCP_KEEPIDLE', asked: 60, kernel: 60 } as const;

describe('a cluster under the preload', () => {
  for (const type of ['http', 'net']) {
    it(`with round robin tunes the primary's listener, and the workers of ${type} find all on their connections`, async () => {
      const run = await runCluster('rr', [type]);
      expect(run).to.include({ code: 0, stderr: '', stdout: 'a worker ended with 0\n'.repeat(2) });
      expect(run.reports).to.have.length(3);
      const listeners = ofListeners(run);
      const [primary, ...rest] = listeners.filter(({ address }) => address !== '-');
      expect(rest).to.deep.equal([]);
      expect(primary?.outcomes).to.deep.include({ ...KEEPALIVE, verdict: 'applied' });
      const workers = listeners.filter(({ address }) => address === '-');
      expect(workers).to.have.length(2);
      for (const { outcomes, accepted } of workers) {
        expect(outcomes).to.deep.equal([]);
        expect(accepted).to.deep.include({ ...KEEPALIVE, verdict: 'inherited' });
      }
    });

    it(`in which the workers accept for themselves tunes the shared listener of ${type}`, async () => {
      const run = await runCluster('none', [type]);
      expect(run).to.include({ code: 0, stderr: '', stdout: 'a worker ended with 0\n'.repeat(2) });
      const listeners = ofListeners(run);
      expect(listeners).to.have.length(2);
      // They share one listener, which the first of them tunes; if they come at once, both do.
      const found = listeners.flatMap(({ outcomes }) => outcomes.filter(({ constant }) => constant === 'TCP_KEEPIDLE'));
      expect(found).to.deep.include({ ...KEEPALIVE, verdict: 'applied' });
      for (const outcome of found) expect(outcome.kernel).to.equal(60);
      const accepted = listeners.flatMap((listener) => listener.accepted);
      expect(accepted).to.deep.include({ ...KEEPALIVE, verdict: 'inherited' });
    });

    it(`whose workers have ports of their own tunes the listener of ${type} in each`, async () => {
      const run = await runCluster('rr', [type, 'exclusive']);
      expect(run).to.include({ code: 0, stderr: '', stdout: 'a worker ended with 0\n'.repeat(2) });
      const listeners = ofListeners(run);
      expect(listeners).to.have.length(2);
      for (const { outcomes, accepted } of listeners) {
        expect(outcomes).to.deep.include({ ...KEEPALIVE, verdict: 'applied' });
        expect(accepted).to.deep.include({ ...KEEPALIVE, verdict: 'inherited' });
      }
    });
  }

  it('under SOCKET_TUNE=off works, and nothing is tuned in any of its processes', async () => {
    const pattern = reportFile().replace('.json', '-%p.json');
    const env = { SOCKET_TUNE: 'off', SOCKET_TUNE_REPORT: pattern };
    const ended = await runApp('cjs', source, { env, args: ['http'] });
    expect(ended).to.include({ code: 0, stderr: '', stdout: 'a worker ended with 0\n'.repeat(2) });
    const prefix = basename(pattern).replace('%p.json', '');
    expect(readdirSync(dirname(pattern)).filter((name) => name.startsWith(prefix))).to.deep.equal([]);
  });
});

/** A worker is sent a message in the moment in which it is forked, and asked for what it has got until it answers. */
const AT_ONCE = `
const cluster = require('cluster');
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.send('at once');
  const asking = setInterval(() => worker.send('asked'), 20);
  worker.once('message', (got) => { clearInterval(asking); console.log(JSON.stringify(got)); worker.kill(); });
} else {
  const got = [];
  process.on('message', (message) => {
    if (message !== 'asked') got.push(message);
    else process.send(got);
  });
}`;

describe('a message that a cluster’s worker gets at once', () => {
  const ways: Record<string, readonly string[]> = { nothing: [], '-r': BY_REQUIRE, '--import': BY_IMPORT };
  for (const [way, preload] of Object.entries(ways)) {
    it(`reaches it by ${way}`, async function () {
      // Node 20 loses it with any --import (README, "Use it").
      if (preload === BY_IMPORT && /^v20\./.test(process.version)) this.skip();
      const { stdout, stderr } = await runApp('cjs', AT_ONCE, { preload });
      expect({ stdout, stderr }).to.deep.equal({ stdout: '["at once"]\n', stderr: '' });
    });
  }
});
