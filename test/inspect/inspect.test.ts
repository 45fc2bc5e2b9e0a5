import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { expect } from 'chai';
import { OBSERVING } from '../../scripts/pages/metrics-table.js';
import { PAGE, POLICY } from '../../src/inspect/inlined-page.js';
import { SCRIPT, STYLE } from '../../src/inspect/page-files.js';
import { whyRefused } from '../../src/inspect/request.js';
import type { Snapshot } from '../../src/report/snapshot.js';
import { reasons } from '../support/files/travel.js';
import { type NodeProcess, startApp } from '../support/processes/node-process.js';
import { freePort } from '../support/sockets/free-port.js';
import { skip } from '../support/test-run/skipped.js';
import { until, untilFound } from '../support/until.js';

const MANIFEST: { readonly version: string } = createRequire(import.meta.url)('socket-tune/package.json');

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

async function ask(port: number, path: string, options: http.RequestOptions = {}): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

async function snapshotAt(port: number): Promise<Snapshot> {
  return JSON.parse((await ask(port, '/snapshot.json')).body);
}

const APP = `
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
const server = createServer(({ url }, response) => {
  if (url === '/hold') return response.write('held');
  if (url === '/end') return response.end(() => server.close());
  createReadStream(process.execPath, { end: 4_999_999, encoding: url === '/encoded' ? 'latin1' : undefined }).pipe(response);
}).listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
`;

describe('SOCKET_TUNE_INSPECT', () => {
  let inspect: number;
  let app: NodeProcess;
  let port: number;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    inspect = await freePort();
    app = startApp('mjs', APP, { env: { SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}` } });
    port = Number((await app.until(/port (\d+)/))[1]);
    for (const path of ['/', '/encoded']) {
      const [response] = await once(http.get({ host: '127.0.0.1', port, path, agent: false }), 'response');
      await buffer(response);
    }
  });

  after(() => app?.child.kill('SIGKILL'));

  it('serves a snapshot: listeners, files, and the connections that are open, with what the kernel knows', async () => {
    const held = http.get({ host: '127.0.0.1', port, path: '/hold', agent: false });
    const [response] = await once(held, 'response');
    await once(response, 'data');
    const { pid, report, connections } = await snapshotAt(inspect);
    expect(pid).to.equal(app.child.pid);
    expect(report.listeners.map(({ address }) => address)).to.deep.equal([`127.0.0.1:${port}`]);
    expect(report.files.sendfileBytes).to.be.within(1, 5_000_000);
    expect(reasons(report.files)).to.deep.equal({ 'encoding-or-object-mode': 1 });
    expect(connections.open).to.equal(1);
    const [one] = connections.shown;
    expect(one).to.include({ listener: `127.0.0.1:${port}`, bytesBySendfile: 0 });
    expect(one?.peer).to.equal(`127.0.0.1:${held.socket?.localPort}`);
    expect(one?.tcp).to.include({ state: 'ESTAB' });
    expect(one?.tcp?.bytesSent).to.equal(one?.bytesWritten);
    held.destroy();
    await until('it is closed', async () => (await snapshotAt(inspect)).connections.open === 0);
  });

  it('is neither tuned nor counted itself', async () => {
    const before = await snapshotAt(inspect);
    for (let count = 0; count < 5; count++) await ask(inspect, '/');
    const after = await snapshotAt(inspect);
    expect(after.report.connections).to.equal(before.report.connections);
    expect(after.report.listeners).to.have.length(1);
  });

  it('serves metrics that Prometheus can read', async () => {
    const { headers, body } = await ask(inspect, '/metrics');
    expect(headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    const { report } = await snapshotAt(inspect);
    const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const sample of samples) {
      expect(sample).to.match(/^[a-z_]+(?:\{(?:[a-z_]+="[^"\n]*",?)*\})? (?:[0-9.e+-]+|\+Inf)$/);
    }
    expect(samples).to.include(`socket_tune_sendfile_bytes_total ${report.files.sendfileBytes}`);
    expect(samples).to.include('socket_tune_not_rerouted_total{reason="encoding-or-object-mode"} 1');
    expect(samples).to.include(
      `socket_tune_option{listener="127.0.0.1:${port}",socket="listener",option="TCP_NODELAY",verdict="applied"} 1`,
    );
    expect(samples).to.include(
      `socket_tune_build_info{version="${MANIFEST.version}",node_version="${process.versions.node}"} 1`,
    );
    expect(body).not.to.match(/^# TYPE \S+ (?:histogram|summary)$/m);
    const typed = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const sample of samples) {
      const name = /^[a-z_]+/.exec(sample)?.[0] ?? '';
      expect(typed.has(name), name).to.equal(true);
    }
  });

  it('serves no metric that docs/observing.md does not name', async () => {
    const page = readFileSync(OBSERVING, 'utf8');
    const { body } = await ask(inspect, '/metrics');
    const served = [...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    expect(served).to.include('socket_tune_build_info').and.to.have.length.above(10);
    expect(served.filter((name) => !new RegExp(`\`${name}[\`{]`).test(page))).to.deep.equal([]);
  });

  it('serves metrics that promtool finds no fault with', async function () {
    if (spawnSync('promtool', ['--version']).error !== undefined) skip(this, 'there is no promtool here');
    const held = http.get({ host: '127.0.0.1', port, path: '/hold', agent: false });
    await once(held, 'response');
    const { body } = await ask(inspect, '/metrics');
    held.destroy();
    expect(body).to.include('socket_tune_open_round_trip_p99_seconds');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    expect([status, stdout, stderr]).to.deep.equal([0, '', '']);
  });

  it('takes GET and HEAD only', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(inspect, '/', { method });
      expect([status, headers.allow], method).to.deep.equal([405, 'GET, HEAD']);
    }
    const head = await ask(inspect, '/', { method: 'HEAD' });
    expect([head.status, head.body]).to.deep.equal([200, '']);
    expect(Number(head.headers['content-length'])).to.be.greaterThan(1000);
    expect((await ask(inspect, '/elsewhere')).status).to.equal(404);
  });

  it('answers nobody who has been led here under another name', async () => {
    for (const host of ['evil.example', `evil.example:${inspect}`, '127.0.0.1.evil.example']) {
      for (const path of ['/', '/metrics', '/snapshot.json']) {
        expect((await ask(inspect, path, { headers: { host } })).status, host).to.equal(403);
      }
    }
    for (const host of ['localhost', `LOCALHOST:${inspect}`, '127.0.0.1', '[::1]:80', '10.1.2.3']) {
      expect((await ask(inspect, '/', { headers: { host } })).status, host).to.equal(200);
    }
    const own = { method: 'GET', headers: { host: 'Metrics.internal:9465' }, path: '/', localAddress: '127.0.0.1' };
    expect(whyRefused(own, 'metrics.internal')).to.equal(undefined);
    expect(whyRefused(own, '127.0.0.1')).to.include({ status: 403 });
  });

  it('serves metrics, and no more, by any host name where the connection did not come to loopback', () => {
    const status = (path: string, localAddress: string | undefined, host = 'app:9470'): number | undefined =>
      whyRefused({ method: 'GET', headers: { host }, path, localAddress }, '0.0.0.0')?.status;
    for (const address of ['10.0.0.7', '::ffff:10.0.0.7', 'fd00::7', '::ffff:1.127.0.1']) {
      expect(status('/metrics', address), address).to.equal(undefined);
      for (const path of ['/', '/snapshot.json', '/metrics/', '/nothing']) {
        expect(status(path, address), path).to.equal(403);
        for (const host of ['10.0.0.7:9470', '[fd00::7]', 'localhost', '0.0.0.0:9470'])
          expect(status(path, address, host), host).to.equal(undefined);
      }
    }
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', undefined])
      expect(status('/metrics', address), address).to.equal(403);
  });

  it('is scraped by the name of a service where it listens on all addresses', async function () {
    const addresses = Object.values(networkInterfaces()).flatMap((of = []) => of);
    const address = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (address === undefined) this.skip();
    const everywhere = await freePort();
    const open = startApp('mjs', APP, { env: { SOCKET_TUNE_INSPECT: `0.0.0.0:${everywhere}` } });
    await open.until(/port/);
    const headers = { host: `app:${everywhere}` };
    const statusOf = async (host: string, path: string): Promise<unknown> =>
      (await ask(everywhere, path, { host, headers })).status;
    expect(await statusOf(address, '/metrics')).to.equal(200);
    expect(await statusOf(address, '/metrics?from=prometheus')).to.equal(200);
    expect(await statusOf(address, '/snapshot.json')).to.equal(403);
    expect(await statusOf('127.0.0.1', '/metrics')).to.equal(403);
    open.child.kill();
    await open.ended;
  });

  it('lets the page have its own scripts and styles only, and be framed by nobody', async () => {
    const { headers, body } = await ask(inspect, '/');
    const policy = headers['content-security-policy'];
    expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    expect(policy).not.to.include('unsafe');
    expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers).not.to.have.property('access-control-allow-origin');
    expect(body).not.to.match(/(?:src|href)="(?!data:,)/);
  });

  it('serves the page that was built, and allows its style and its script by their hashes', async () => {
    const { headers, body } = await ask(inspect, '/');
    expect(body).to.equal(PAGE);
    expect(headers['content-security-policy']).to.equal(POLICY);
    for (const [element, built] of [
      ['style', STYLE],
      ['script', SCRIPT],
    ] as const) {
      const found = [...body.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(([, inside]) => inside);
      expect(found, element).to.deep.equal([built]);
      const hash = createHash('sha256').update(built).digest('base64');
      expect(POLICY.split('; '), element).to.include(`${element}-src 'sha256-${hash}'`);
    }
  });

  it('closes connections that say nothing, and headers that are too long', async () => {
    const socket = connect(inspect, '127.0.0.1');
    socket.end(`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
    expect(await text(socket)).to.match(/^HTTP\/1\.1 431 /);
  });

  it('does not keep the process alive, not even with somebody looking', async () => {
    const agent = new http.Agent({ keepAlive: true });
    await ask(inspect, '/', { agent });
    await ask(port, '/end');
    const { code, signal } = await app.ended;
    agent.destroy();
    expect([code, signal]).to.deep.equal([0, null]);
  });
});

describe('SOCKET_TUNE_INSPECT, where it cannot be had', () => {
  const hello = "console.log('hello'); setTimeout(() => {}, 500);";

  it('takes the first free port of a range', async () => {
    const first = await freePort();
    const taken = createServer().listen(first, '127.0.0.1');
    await once(taken, 'listening');
    const app = startApp('mjs', "setTimeout(() => {}, 20_000); console.log('up');", {
      env: { SOCKET_TUNE_INSPECT: `${first}-${first + 20}` },
    });
    await app.until(/up/);
    const find = async (): Promise<number | undefined> => {
      for (let port = first + 1; port <= first + 20; port++) {
        const snapshot = await snapshotAt(port).catch(() => undefined);
        if (snapshot?.pid === app.child.pid) return port;
      }
      return undefined;
    };
    // It goes from port to port while the app runs; the suite's timeout ends the search.
    const found = await untilFound('the process can be seen', find);
    expect(found).to.be.within(first + 1, first + 20);
    app.child.kill('SIGKILL');
    taken.close();
  });

  it('is one warning, and the app runs', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const app = startApp('mjs', hello, { env: { SOCKET_TUNE_INSPECT: `127.0.0.1:${port}` } });
    const { code, stdout, stderr } = await app.ended;
    taken.close();
    expect([code, stdout]).to.deep.equal([0, 'hello\n']);
    expect(stderr).to.include(`nothing is served at 127.0.0.1:${port}`).and.include('EADDRINUSE');
    expect(stderr.match(/SocketTuneWarning/g)).to.have.length(1);
  });

  it('listens nowhere unless it is told to, and not where it cannot be understood', async () => {
    for (const value of [undefined, 'off', 'yes', 'http://127.0.0.1:1', '127.0.0.1:0', '127.0.0.1:9-8', 'a b:80']) {
      const env: Record<string, string> = value === undefined ? {} : { SOCKET_TUNE_INSPECT: value };
      const source = 'console.log(process.getActiveResourcesInfo().filter((name) => /TCP/.test(name)).length)';
      const { stdout, stderr } = await startApp('mjs', `setTimeout(() => ${source}, 100)`, { env }).ended;
      expect(stdout, value).to.equal('0\n');
      if (value !== undefined && value !== 'off') expect(stderr, value).to.include('expected off, or an address');
    }
  });

  it('is for the main thread only', async () => {
    const port = await freePort();
    const source = `
import { Worker } from 'node:worker_threads';
new Worker('process.exit()', { eval: true }).on('exit', (code) => console.log('worker ' + code));
`;
    const { stdout, stderr } = await startApp('mjs', source, { env: { SOCKET_TUNE_INSPECT: `${port}` } }).ended;
    expect([stdout, stderr]).to.deep.equal(['worker 0\n', '']);
  });
});
