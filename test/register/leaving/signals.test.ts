import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { expect } from 'chai';
import { type EndedProcess, startApp } from '../../support/processes/node-process.js';
import { freePort } from '../../support/sockets/free-port.js';
import { until } from '../../support/until.js';
import { get, httpApp, startLeaving, wireTo } from './leaving-app.js';

/** Sends itself the signal from outside, as a supervisor does. */
const KILL_FROM_OUTSIDE = `require('child_process').spawn('kill', [String(process.pid)])`;

describe('a process that drains, and is told to end by a signal,', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers on every connection once more on ${signal}, says that it ends, and is killed by the signal`, async () => {
      const { app, port } = await startLeaving(httpApp());
      const [idle, waiting, releasing] = await Promise.all([wireTo(port), wireTo(port), wireTo(port)]);
      expect(await idle.ask(get('/one'), /one$/)).to.match(/^connection: keep-alive$/im);
      waiting.socket.write(get('/held'));
      await app.until(/asked \/held/);
      app.child.kill(signal);
      await until('nobody is accepted', () => isRefused(port));
      expect(await idle.ask(get('/two'), /two$/))
        .to.match(/^connection: close$/im)
        .and.not.match(/keep-alive/i);
      expect(await releasing.ask(get('/release'), /release$/)).to.match(/^connection: close$/im);
      await until('the held answer has come', () => /held$/.test(waiting.received()));
      expect(waiting.received()).to.match(/^connection: close$/im);
      const { code, signal: by, stderr, report } = await app.ended;
      expect({ code, by, stderr }).to.deep.equal({ code: null, by: signal, stderr: '' });
      expect(report?.requests).to.deep.equal({
        draining: true,
        cutConnections: 0,
        unanswered: 0,
        unansweredRequests: [],
      });
    });
  }

  it('closes connections that stay idle for a third of its time, also those that have said nothing yet', async () => {
    const { app, port } = await startLeaving(httpApp(), { env: { SOCKET_TUNE_DRAIN: '3s' } });
    const [used, silent] = await Promise.all([wireTo(port), wireTo(port)]);
    await used.ask(get('/one'), /one$/);
    const began = performance.now();
    app.child.kill('SIGTERM');
    const { report, signal } = await app.ended;
    expect(performance.now() - began).to.be.at.least(1000);
    expect(signal).to.equal('SIGTERM');
    expect(report?.requests.cutConnections).to.equal(0);
    await until('both are closed', () => used.isOver() && silent.isOver());
  });

  it('cuts what lives longer than its time, and names the requests without their queries', async () => {
    const { app, port } = await startLeaving(
      httpApp(`
        server.on('upgrade', (request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n'));
        require('net').createServer((socket) => socket.write('hello')).listen(0, '127.0.0.1', function () {
          print('plain', this.address().port);
        })`),
      { env: { SOCKET_TUNE_DRAIN: '900ms' } },
    );
    const [, plain] = await app.until(/plain (\d+)/);
    const [never, upgraded, other] = await Promise.all([wireTo(port), wireTo(port), wireTo(Number(plain))]);
    never.socket.write('POST /never?secret=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    await upgraded.ask('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /101/);
    await app.until(/asked/);
    const began = performance.now();
    app.child.kill('SIGTERM');
    const { report, signal } = await app.ended;
    expect(performance.now() - began).to.be.at.least(900);
    expect(signal).to.equal('SIGTERM');
    await until('all are closed', () => [never, upgraded, other].every((wire) => wire.isOver()));
    const { cutConnections, unanswered, unansweredRequests } = report?.requests ?? {};
    expect({ cutConnections, unanswered }).to.deep.equal({ cutConnections: 3, unanswered: 1 });
    expect(unansweredRequests?.map(({ method, path }) => [method, path])).to.deep.equal([['POST', '/never']]);
    expect(unansweredRequests?.[0]?.age).to.be.within(700, 5000);
  });

  it('ends by its signal when a request has added a listener for it meanwhile', async () => {
    const { app, port } = await startLeaving(
      httpApp(`server.on('request', ({ url }) => {
        if (url === '/late') process.on('SIGTERM', () => print('heard'));
      });
      const interval = setInterval(() => undefined, 1000);`),
      { env: { SOCKET_TUNE_DRAIN: '30s' } },
    );
    const [held, late, release] = await Promise.all([wireTo(port), wireTo(port), wireTo(port)]);
    held.socket.write(get('/held'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await until('nobody is accepted', () => isRefused(port));
    await late.ask(get('/late'), /late$/);
    await release.ask(get('/release'), /release$/);
    const { signal, stdout } = await app.ended;
    expect({ signal, isHeard: stdout.includes('heard') }).to.deep.equal({ signal: 'SIGTERM', isHeard: false });
  });

  it('still tells the address of its server, which the app has not closed', async () => {
    const { app, port } = await startLeaving(
      httpApp(`server.on('request', ({ url }) => { if (url === '/release') print('at', server.address().port); })`),
    );
    const [held, release] = await Promise.all([wireTo(port), wireTo(port)]);
    held.socket.write(get('/held'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await until('nobody is accepted', () => isRefused(port));
    await release.ask(get('/release'), /release$/);
    const { signal, stdout, stderr } = await app.ended;
    expect({ signal, stderr }).to.deep.equal({ signal: 'SIGTERM', stderr: '' });
    expect(stdout).to.include(`at ${port}\n`);
  });

  it('is ended at once by a second signal, of either kind', async () => {
    for (const second of ['SIGTERM', 'SIGINT'] as const) {
      const { app, port } = await startLeaving(httpApp());
      const never = await wireTo(port);
      never.socket.write(get('/never'));
      await app.until(/asked/);
      app.child.kill('SIGTERM');
      await until('nobody is accepted', () => isRefused(port));
      app.child.kill(second);
      expect((await app.ended).signal).to.equal(second);
    }
  });

  it('is ended at once by SIGHUP, and by a signal that it sends to itself', async () => {
    const hung = await startLeaving(httpApp());
    const never = await wireTo(hung.port);
    never.socket.write(get('/never'));
    await hung.app.until(/asked/);
    hung.app.child.kill('SIGHUP');
    expect((await hung.app.ended).signal).to.equal('SIGHUP');
    for (const itself of ['process.pid', 'String(process.pid)']) {
      const { stdout, signal } = await startApp(
        'cjs',
        httpApp(`require('net').connect(server.address().port, '127.0.0.1', () => {
          process.kill(${itself}, 'SIGTERM'); print('not reached'); })`),
        { env: { SOCKET_TUNE_DRAIN: '30s' } },
      ).ended;
      expect(signal, itself).to.equal('SIGTERM');
      expect(stdout, itself).not.to.include('not reached');
    }
  });

  it('is ended at once by the second signal of an app that listens for one', async () => {
    const { app, port } = await startLeaving(
      httpApp(`process.once('SIGTERM', () => { server.close(); print('closing'); })`),
    );
    const never = await wireTo(port);
    never.socket.write(get('/never'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await app.until(/closing/);
    const began = performance.now();
    app.child.kill('SIGTERM');
    expect((await app.ended).signal).to.equal('SIGTERM');
    // Else by the end of the drain.
    expect(performance.now() - began).to.be.below(25_000);
  });

  it('is left as it is by an app whose handler closes nothing', async () => {
    const { app, port } = await startLeaving(httpApp(`process.on('SIGTERM', () => print('told'))`));
    const wire = await wireTo(port);
    app.child.kill('SIGTERM');
    await app.until(/told/);
    expect(await wire.ask(get('/one'), /one$/)).to.match(/^connection: keep-alive$/im);
    expect(await isRefused(port)).to.equal(false);
    app.child.kill('SIGKILL');
    await app.ended;
  });

  it('goes on accepting for its delay, and is not ready meanwhile', async () => {
    const inspect = await freePort();
    const { app, port } = await startLeaving(httpApp(), {
      env: { SOCKET_TUNE_DRAIN_DELAY: '1500ms', SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}` },
    });
    const status = async (path: string): Promise<string | undefined> =>
      /^HTTP\/1.1 (\d+)/.exec(
        await (await wireTo(inspect)).ask(get(path).replace('Host: a', 'Host: 127.0.0.1'), /\n$/),
      )?.[1];
    expect([await status('/ready'), await status('/live')]).to.deep.equal(['200', '200']);
    const began = performance.now();
    app.child.kill('SIGTERM');
    await until('it is not ready', async () => (await status('/ready')) === '503');
    expect(await status('/live')).to.equal('200');
    expect(await (await wireTo(port)).ask(get('/new'), /new$/)).to.match(/^connection: keep-alive$/im);
    expect(performance.now() - began).to.be.below(1500);
    const last = await wireTo(port);
    last.socket.write(get('/never'));
    await until('nobody is accepted', () => isRefused(port));
    expect(performance.now() - began).to.be.at.least(1490);
    expect([await status('/ready'), await status('/live')]).to.deep.equal(['503', '200']);
    app.child.kill('SIGKILL');
    await app.ended;
  });

  it('ends with the status of the signal as process 1 of a container, from which the kernel keeps it', async function () {
    const inContainer = ['unshare', '--pid', '--fork', '--kill-child'];
    if (spawnSync('unshare', [...inContainer.slice(1), 'true']).status !== 0) this.skip();
    for (const [kills, answered] of [
      [1, 'true'],
      [2, 'false'],
    ] as const) {
      const source = httpApp(`
        const client = require('net').connect(server.address().port, '127.0.0.1', () => client.write('GET /held HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'));
        const spawnKill = () => ${KILL_FROM_OUTSIDE};
        let text = '';
        client.on('data', (data) => { text += data; });
        process.on('exit', (code) => print('exit', code, /held$/.test(text)));
        server.once('request', () => spawnKill().once('exit', () => {
          if (${kills} === 2) return spawnKill();
          const look = () => server.listening ? setTimeout(look, 5) : held[0].end('held');
          look();
        }))`);
      const { code, stdout, stderr } = await startApp('cjs', source, {
        under: inContainer,
        env: { SOCKET_TUNE_DRAIN: '20s', SOCKET_TUNE_REPORT: 'exit' },
      }).ended;
      expect(stdout).to.match(new RegExp(`exit 143 ${answered}`));
      expect({ code, reports: stderr.match(/socket-tune report/g)?.length }).to.deep.equal({ code: 143, reports: 1 });
    }
  });

  it('has the workers of its cluster drain where they listen by themselves, and the primary has no listener', async () => {
    const source = `
const cluster = require('cluster');
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
cluster.schedulingPolicy = cluster.SCHED_NONE;
if (cluster.isPrimary) {
  cluster.once('listening', (worker, { port }) => print('port', port));
  cluster.fork();
} else { ${httpApp().replace(/^const print.*$/m, '')} }`;
    expect((await drained(source)).signal).to.equal('SIGTERM');
  });

  it('has the workers of its cluster drain, and its app sees none of them end', async () => {
    const source = `
const cluster = require('cluster');
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
if (cluster.isPrimary) {
  cluster.on('exit', () => { print('worker ended'); cluster.fork(); });
  cluster.once('listening', (worker, { port }) => print('port', port));
  cluster.fork();
} else { ${httpApp().replace(/^const print.*$/m, '')} }`;
    const { signal, stdout } = await drained(source);
    expect(signal).to.equal('SIGTERM');
    expect(stdout).not.to.include('worker ended');
  });
});

/** Tell the primary of a cluster to end, see that its worker drains, and wait for the end. */
async function drained(source: string): Promise<EndedProcess> {
  const { app, port } = await startLeaving(source);
  const [idle, held] = await Promise.all([wireTo(port), wireTo(port)]);
  await idle.ask(get('/one'), /one$/);
  held.socket.write(get('/held'));
  await app.until(/asked/);
  app.child.kill('SIGTERM');
  await until('nobody is accepted', () => isRefused(port));
  expect(await idle.ask(get('/release'), /release$/)).to.match(/^connection: close$/im);
  await until('the held answer has come', () => /held$/.test(held.received()));
  return app.ended;
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    // A listener that is being closed ignores newcomers for a moment.
    socket.setTimeout(100, () => socket.destroy());
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(true)).once('close', () => resolve(false));
  });
}
