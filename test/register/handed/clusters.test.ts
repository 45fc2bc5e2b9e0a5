import { expect } from 'chai';
import { type Handover, type Preloaded, runHandover, TUNED, UNTOUCHED } from '../../support/processes/handed-over.js';

const ALL: Preloaded = { parent: true, child: true };
const WORKERS: Preloaded = { parent: false, child: true };
const PRIMARY: Preloaded = { parent: true, child: false };
const NONE: Preloaded = { parent: false, child: false };

/**
 * One worker, which answers with what the kernel has of a connection, and says what it has seen of events.
 *
 * @param server makes the worker's server
 * @param at where it listens
 */
function clusterApp(server: string, at = `0, '127.0.0.1'`): string {
  return `
const [type] = process.argv.slice(2);
if (isParent) {
  const options = childOptions();
  cluster.setupPrimary({ exec: __filename, execArgv: options.execArgv });
  const worker = cluster.fork(options.env);
  cluster.on('listening', (_, { address, addressType }) => print({ event: 'cluster listening', address, addressType }));
  worker.on('message', ({ port, path, event }) => {
    if (event !== undefined) return print({ event });
    const askIt = path === undefined ? ask : (_, times, done, texts = []) => {
      if (times === 0) return done(texts);
      let text = '';
      const client = net.connect(path).setEncoding('latin1');
      client.write('GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n');
      client.on('data', (data) => { text += data; });
      client.on('close', () => askIt(path, times - 1, done, [...texts, text]));
    };
    askIt(port, 3, (texts) => {
      for (const text of texts) print({ kernel: JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) });
      worker.send('end');
    });
  });
} else {
  const answer = (socket) => JSON.stringify(path === undefined ? kernel(socket) : {});
  const path = ${at.startsWith("'") ? at : 'undefined'};
  const server = ${server};
  server.on('connection', () => process.send({ event: 'connection' }));
  server.listen(${at}, () => process.send({ port: server.address().port, path }));
  process.on('message', () => { server.close(() => process.disconnect()); });
}`;
}

const NET = 'net.createServer((socket) => socket.resume().end(answer(socket)))';
const HTTP = 'http.createServer(({ socket }, response) => response.end(answer(socket)))';
const NAGLE = 'http.createServer({ noDelay: false }, ({ socket }, response) => response.end(answer(socket)))';
const NET_OFF =
  'net.createServer({ noDelay: false, keepAlive: false }, (socket) => socket.resume().end(answer(socket)))';
const TAKEN_BACK =
  'net.createServer((socket) => socket.setNoDelay(false).setKeepAlive(false).resume().end(answer(socket)))';

const POLICIES = {
  'round robin': { NODE_CLUSTER_SCHED_POLICY: 'rr' },
  'shared handles': { NODE_CLUSTER_SCHED_POLICY: 'none' },
};

function kernelsOf({ lines }: Handover): unknown[] {
  return lines.flatMap((line) => ('kernel' in (line as object) ? [(line as { kernel: unknown }).kernel] : []));
}

function expectClean({ code, signal, stderr }: Handover): void {
  expect({ code, signal, stderr }).to.deep.equal({ code: 0, signal: null, stderr: '' });
}

function threeTimes<T>(value: T): T[] {
  return [value, value, value];
}

/** What the app has seen, without the kernel's values. */
function storyOf({ lines }: Handover): unknown[] {
  return lines.map((line) => ('kernel' in (line as object) ? 'an answer' : line));
}

describe('a cluster of which not all have the preload', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [policy, env] of Object.entries(POLICIES)) {
    it(`with ${policy} has connections tuned by its workers alone, and its events are as ever`, async () => {
      const app = clusterApp(NET);
      const [stock, tuned] = [await runHandover(app, NONE, env), await runHandover(app, WORKERS, env)];
      expectClean(stock);
      expectClean(tuned);
      expect(kernelsOf(stock)).to.deep.equal(threeTimes(UNTOUCHED));
      expect(kernelsOf(tuned)).to.deep.equal(threeTimes(TUNED));
      expect(storyOf(tuned)).to.deep.equal(storyOf(stock));
      expect(tuned.reports.map(({ connections }) => connections)).to.deep.equal([3]);
    });

    it(`with ${policy} leaves off what its worker has switched off for a server of net, whoever is tuned`, async () => {
      for (const preloaded of [WORKERS, ALL]) {
        const run = await runHandover(clusterApp(NET_OFF), preloaded, env);
        expectClean(run);
        expect(kernelsOf(run)).to.have.length(3);
        for (const kernel of kernelsOf(run)) expect(kernel).to.include({ TCP_NODELAY: 0, SO_KEEPALIVE: 0 });
      }
    });

    it(`with ${policy} lets http servers have the algorithm of Nagle that want it, whoever is tuned`, async () => {
      for (const preloaded of [WORKERS, ALL]) {
        const run = await runHandover(clusterApp(NAGLE), preloaded, env);
        expectClean(run);
        expect(kernelsOf(run)).to.deep.equal(threeTimes({ ...TUNED, TCP_NODELAY: 0 }));
      }
    });

    it(`with ${policy} lets the app in a worker take back what it will`, async () => {
      for (const preloaded of [WORKERS, ALL]) {
        const run = await runHandover(clusterApp(TAKEN_BACK), preloaded, env);
        expectClean(run);
        expect(kernelsOf(run)).to.deep.equal(threeTimes({ ...TUNED, TCP_NODELAY: 0, SO_KEEPALIVE: 0 }));
      }
    });
  }

  it('has connections tuned by its primary alone, with round robin', async () => {
    const run = await runHandover(clusterApp(NET), PRIMARY, POLICIES['round robin']);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal(threeTimes(TUNED));
    expect(run.reports[0]?.listeners).to.have.length(1);
  });

  it('has connections of http from a tuned primary, and its workers find all on them', async () => {
    const run = await runHandover(clusterApp(HTTP), ALL, POLICIES['round robin']);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal(threeTimes(TUNED));
    const [, worker] = run.reports;
    expect(worker?.listeners[0]?.connections).to.equal(3);
    const verdicts = worker?.listeners[0]?.accepted.map(({ constant, verdict }) => [constant, verdict]);
    expect(verdicts).to.deep.include(['TCP_KEEPIDLE', 'inherited']);
  });

  it('that listens on a Unix socket is not told that such sockets have no options of TCP', async () => {
    const env = { ...POLICIES['round robin'], SOCKET_TUNE_USER_TIMEOUT: '5s' };
    const run = await runHandover(clusterApp(HTTP, `'unix-cluster'`), ALL, env);
    expectClean(run);
    expect(kernelsOf(run)).to.deep.equal(threeTimes({}));
    const worker = run.reports[1]?.listeners[0]?.accepted.find(({ constant }) => constant === 'TCP_USER_TIMEOUT');
    expect(worker?.verdict).to.equal('unneeded');
  });
});
