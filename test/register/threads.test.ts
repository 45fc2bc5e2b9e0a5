import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { sampleDirectory } from '../support/files/sample-files.js';
import {
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  readReport,
  reportFile,
  runApp,
} from '../support/processes/node-process.js';

/** Reports by the number of the thread; 0 is the main one. */
type ThreadReports = ReadonlyMap<number, Report>;

interface ThreadRun extends EndedProcess {
  readonly reports: ThreadReports;
}

const PRELUDE = `
const { Worker, isMainThread, parentPort, SHARE_ENV, threadId, workerData } = require('worker_threads');
const { once } = require('events');
const { createReadStream, statSync } = require('fs');
const { createHash } = require('crypto');
const http = require('http');
const net = require('net');
/** Serve a file on a port of this thread's own, until told to end. */
const serve = (file) => {
  const server = http.createServer((request, response) => createReadStream(file).pipe(response));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address()));
  parentPort.once('message', () => server.close());
};
const fetchHash = ({ port, address }) => new Promise((resolve, reject) => {
  const hash = createHash('sha256');
  http.get({ port, host: address, agent: false }, (response) =>
    response.on('data', (data) => hash.update(data)).on('end', () => resolve(hash.digest('hex')))).on('error', reject);
});
const fileHash = (file) => createHash('sha256').update(require('fs').readFileSync(file)).digest('hex');
`;

async function runThreads(
  source: string,
  { env = {}, preload = BY_IMPORT }: { env?: Readonly<Record<string, string>>; preload?: readonly string[] } = {},
): Promise<ThreadRun> {
  const pattern = reportFile().replace('.json', '-%t.json');
  const ended = await runApp('cjs', PRELUDE + source, { preload, env: { SOCKET_TUNE_REPORT: pattern, ...env } });
  const prefix = basename(pattern).replace('%t.json', '');
  const reports = new Map<number, Report>();
  for (const name of readdirSync(dirname(pattern))) {
    const report = name.startsWith(prefix) ? readReport(join(dirname(pattern), name)) : undefined;
    if (report !== undefined) reports.set(Number.parseInt(name.slice(prefix.length), 10), report);
  }
  return { ...ended, reports };
}

const file = (): string => JSON.stringify(join(sampleDirectory(), '20m'));

/** Three workers with a port each. Each is asked twice. */
function servingApp(options: string, threads = 3): string {
  return `
const file = ${file()};
if (isMainThread) {
  const own = fileHash(file);
  const main = async () => {
    const workers = Array.from({ length: ${threads} }, () => new Worker(__filename, ${options}));
    const at = (await Promise.all(workers.map((worker) => once(worker, 'message')))).map(([address]) => address);
    console.log(new Set(at.map(({ port }) => port)).size, 'ports');
    for (const address of [...at, ...at]) console.log(address.address, (await fetchHash(address)) === own);
    const exits = workers.map((worker) => once(worker, 'exit'));
    for (const worker of workers) worker.postMessage('end');
    console.log((await Promise.all(exits)).join());
  };
  main();
} else serve(file);`;
}

function expectServed({ reports, ...run }: ThreadRun, tuned: readonly number[], threads = 3): void {
  const stdout = `${threads} ports\n${'127.0.0.1 true\n'.repeat(threads * 2)}${Array.from({ length: threads }, () => 0).join()}\n`;
  expect(run).to.include({ code: 0, signal: null, stdout, stderr: '' });
  for (const thread of tuned) {
    const report = reports.get(thread);
    expect(report?.listeners, `thread ${thread}`).to.have.length(1);
    expect(report?.connections).to.equal(2);
    expect(report?.files.reroutedStreams).to.equal(2);
    const accepted = report?.listeners[0]?.accepted.find(({ constant }) => constant === 'TCP_KEEPIDLE');
    expect(accepted).to.include({ verdict: 'inherited', kernel: 60 });
  }
}

describe('worker threads', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [way, preload] of Object.entries({
    '--import': BY_IMPORT,
    '--require': BY_REQUIRE,
    'both, twice': [...BY_REQUIRE, ...BY_IMPORT, ...BY_IMPORT],
  })) {
    it(`that have the preload by ${way} of the process listen on ports of their own, and report each for itself`, async () => {
      const run = await runThreads(servingApp('{}'), { preload });
      expectServed(run, [1, 2, 3]);
      expect(run.reports.get(0)?.listeners).to.deep.equal([]);
    });
  }

  it('have it by NODE_OPTIONS', async () => {
    const env = { NODE_OPTIONS: BY_IMPORT.join(' ') };
    expectServed(await runThreads(servingApp('{}'), { preload: [], env }), [1, 2, 3]);
  });

  it('have it by NODE_OPTIONS where they share the environment', async () => {
    const env = { NODE_OPTIONS: BY_IMPORT.join(' ') };
    expectServed(await runThreads(servingApp('{ env: SHARE_ENV }'), { preload: [], env }), [1, 2, 3]);
    expectServed(await runThreads(servingApp('{ env: SHARE_ENV }')), [1, 2, 3]);
  });

  it('have it by their own execArgv, and the main thread has not', async () => {
    const options = `{ execArgv: ${JSON.stringify(BY_IMPORT)} }`;
    const run = await runThreads(servingApp(options), { preload: [] });
    expectServed(run, [1, 2, 3]);
    expect(run.reports.get(0)).to.equal(undefined);
  });

  it('have settings of their own by their own env', async () => {
    const options = `{ env: { ...process.env, SOCKET_TUNE_USER_TIMEOUT: '5s' } }`;
    const { reports } = await runThreads(servingApp(options, 1));
    const outcome = reports.get(1)?.listeners[0]?.accepted.find(({ constant }) => constant === 'TCP_USER_TIMEOUT');
    expect(outcome).to.include({ verdict: 'inherited', kernel: 5000 });
  });

  it('are as ever where socket-tune is off', async () => {
    const run = await runThreads(servingApp('{}'), { env: { SOCKET_TUNE: 'off' } });
    expectServed(run, []);
    expect(run.reports.size).to.equal(0);
  });

  it('free their ports when they are terminated while they listen, and others go on', async () => {
    const source = `
const file = ${file()};
if (isMainThread) {
  const main = async () => {
    const [first, second] = [new Worker(__filename), new Worker(__filename)];
    const [[one], [two]] = await Promise.all([once(first, 'message'), once(second, 'message')]);
    console.log(await first.terminate());
    const refused = net.connect(one.port, '127.0.0.1');
    const [{ code }] = await once(refused, 'error');
    console.log(code);
    const taken = net.createServer().listen(one.port, '127.0.0.1');
    await once(taken, 'listening');
    taken.close();
    console.log((await fetchHash(two)) === fileHash(file));
    second.postMessage('end');
  };
  main();
} else serve(file);`;
    const run = await runThreads(source);
    expect(run).to.include({ code: 0, stdout: '1\nECONNREFUSED\ntrue\n', stderr: '' });
    expect(run.reports.get(2)?.files.reroutedStreams).to.equal(1);
    // A terminated thread runs nothing more, not even its own 'exit' listeners.
    expect([...run.reports.keys()].sort()).to.deep.equal([0, 2]);
  });

  it('say in their report as text which they are', async () => {
    const { stderr, stdout } = await runThreads(servingApp('{}', 2), { env: { SOCKET_TUNE_REPORT: 'exit' } });
    expect(stdout).to.match(/^2 ports/);
    const heads = stderr.match(/^socket-tune report of process.*$/gm) ?? [];
    const ends = heads.map((head) => head.replace(/\d+/, 'N')).sort();
    expect(ends).to.deep.equal([
      'socket-tune report of process N',
      'socket-tune report of process N, thread 1',
      'socket-tune report of process N, thread 2',
    ]);
  });

  /** All that opens or closes descriptors, in a thread of which Node watches those of files. */
  const descriptors = `
if (isMainThread) new Worker(__filename);
else {
  const dgram = require('dgram');
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => socket.close());
  const socket6 = dgram.createSocket({ type: 'udp6', reuseAddr: true, recvBufferSize: 70_000 }).bind(0, () => socket6.close());
  const small = __filename;
  const large = ${file()};
  const server = http.createServer(({ url }, response) => createReadStream(url === '/small' ? small : large).pipe(response));
  const ask = (path) => new Promise((resolve) => {
    http.get({ port: server.address().port, path, agent: false }, (response) => {
      // A slow client, for which the file stays open.
      response.pause();
      setImmediate(() => response.resume().on('end', resolve));
    });
  });
  const leave = () => new Promise((resolve) => {
    http.get({ port: server.address().port, path: '/large', agent: false }, (response) => {
      response.destroy();
      response.on('close', resolve);
    });
  });
  server.listen(0, '127.0.0.1', async () => {
    for (const path of ['/small', '/large']) await ask(path);
    await leave();
    server.close(() => server.listen(0, '127.0.0.1', () => server.close()));
    server.closeAllConnections();
  });
}`;

  for (const [name, env] of Object.entries<Readonly<Record<string, string>>>({
    'as they are by default': {},
    'with outgoing sockets that are made early': { SOCKET_TUNE_CONNECT: 'on', SOCKET_TUNE_CONNECT_SYNCNT: '3' },
    'with listeners that are made early': { SOCKET_TUNE_RAW: '1:15:1@before-bind' },
    'with listeners that share ports': { SOCKET_TUNE_REUSEPORT: 'on' },
  })) {
    it(`print nothing about their descriptors, ${name}`, async () => {
      const stock = await runThreads(descriptors, { preload: [] });
      expect(stock).to.include({ code: 0, stderr: '' });
      const { reports, ...run } = await runThreads(descriptors, { env });
      expect(run).to.include({ code: 0, stdout: stock.stdout, stderr: '' });
      expect(reports.get(1)?.datagrams.sockets).to.equal(2);
      expect(reports.get(1)?.files.sendfileBytes).to.be.greaterThan(0);
    });
  }
});
