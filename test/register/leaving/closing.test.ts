import { expect } from 'chai';
import { BY_IMPORT, runApp } from '../../support/processes/node-process.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import { until } from '../../support/until.js';
import { get, httpApp, startLeaving, wireTo } from './leaving-app.js';

/** Closes its server on SIGTERM, and says when it is closed. */
const WITH_HANDLER = `process.on('SIGTERM', () => { server.close(() => { print('closed'); process.exit(7); }); print('closing'); })`;

const FRAMEWORK_ORDER = WITH_HANDLER.replace('server.close(', 'server.closeIdleConnections(); server.close(').replace(
  "print('closing')",
  "server.closeIdleConnections(); print('closing')",
);

/** Clients of Node's own, within the app, whose certificate is no matter. */
const HTTP2_APP = `
const http2 = require('http2');
const { writeSync, readFileSync } = require('fs');
const { once } = require('events');
const print = (...values) => writeSync(1, values.join(' ') + '\\n');
const [key, cert] = process.argv.slice(2);
const isSecure = key !== undefined;
const options = isSecure ? { key: readFileSync(key), cert: readFileSync(cert) } : {};
const server = http2[isSecure ? 'createSecureServer' : 'createServer'](options, (request, response) => {
  request.resume();
  if (request.url === '/slow') setTimeout(() => response.end('slow'), 400);
  else response.end('ok');
}).listen(0, '127.0.0.1', async () => {
  const client = http2.connect('http' + (isSecure ? 's' : '') + '://127.0.0.1:' + server.address().port, { rejectUnauthorized: false });
  const ask = (path) => new Promise((resolve) => {
    const request = client.request({ ':path': path });
    let body = '';
    request.setEncoding('utf8').on('data', (text) => { body += text; }).on('end', () => resolve(body)).on('error', ({ code }) => resolve(code));
  });
  print(await ask('/'));
  const slow = ask('/slow');
  await ask('/');
  client.on('goaway', () => print('goaway'));
  server.close(() => print('closed'));
  slow.then((answer) => print('slow is', answer));
  while (!client.closed) { const answer = await ask('/'); if (answer !== 'ok') print(answer); }
  client.on('close', () => print('client closed'));
});`;

describe('a server that its app closes, where it is drained,', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [name, handler] of [
    ['is closed', WITH_HANDLER],
    ['has its idle connections cut before and after it is closed, as frameworks do', FRAMEWORK_ORDER],
  ] as const) {
    it(`answers on idle connections once more when it ${name}, and the app ends as it likes`, async () => {
      const { app, port } = await startLeaving(httpApp(handler));
      const idle = await wireTo(port);
      await idle.ask(get('/one'), /one$/);
      app.child.kill('SIGTERM');
      await app.until(/closing/);
      expect(await idle.ask(get('/two'), /two$/)).to.match(/^connection: close$/im);
      const { code, stdout } = await app.ended;
      expect({ code, isClosed: stdout.includes('closed') }).to.deep.equal({ code: 7, isClosed: true });
    });
  }

  for (const [order, handler] of [
    ['before', 'endIdle(); close();'],
    ['after', 'close(); endIdle();'],
  ] as const) {
    it(`gives the app no request of an idle connection that it has ended ${order} it closed the server, as hapi does`, async () => {
      const source = httpApp(`
        const sockets = new Set();
        server.on('connection', (socket) => sockets.add(socket));
        const endIdle = () => { for (const socket of sockets) socket.end(); };
        const close = () => server.close(() => { print('closed'); process.exit(7); });
        process.on('SIGTERM', () => { ${handler} print('closing'); })`);
      const { app, port } = await startLeaving(source);
      const idle = await wireTo(port);
      await idle.ask(get('/one'), /one$/);
      idle.socket.removeAllListeners('end');
      app.child.kill('SIGTERM');
      await app.until(/closing/);
      idle.socket.write(get('/never'));
      // Stock Node has closed the connection, and so the server.
      const { code, stdout } = await app.ended;
      expect({ code, stdout: stdout.match(/asked|closed/g) }).to.deep.equal({ code: 7, stdout: ['closed'] });
    });
  }

  it('says that a connection ends also where the app has said that it stays', async () => {
    const { app, port } = await startLeaving(httpApp(WITH_HANDLER));
    const idle = await wireTo(port);
    expect(await idle.ask(get('/explicit'), /explicit$/)).to.match(/^connection: keep-alive$/im);
    app.child.kill('SIGTERM');
    await app.until(/closing/);
    expect(await idle.ask(get('/explicit'), /explicit$/)).to.match(/^connection: close$/im);
    expect((await app.ended).code).to.equal(7);
  });

  it('answers requests that came in one packet, and reads a body to its end before it closes', async () => {
    const { app, port } = await startLeaving(httpApp(WITH_HANDLER));
    const [pipelined, uploading, never] = await Promise.all([wireTo(port), wireTo(port), wireTo(port)]);
    await Promise.all([pipelined.ask(get('/one'), /one$/), uploading.ask(get('/one'), /one$/)]);
    never.socket.write(get('/never'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await app.until(/closing/);
    const both = await pipelined.ask(get('/first') + get('/second'), /second$/);
    expect(both)
      .to.match(/first/)
      .and.match(/second$/);
    const head = 'POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n';
    expect(await uploading.ask(head, /early$/)).to.match(/^connection: close$/im);
    // It would be reset here by what it had not read.
    for (let sent = 0; sent < 200_000; sent += 1000) {
      expect(uploading.isOver(), `after ${sent} bytes`).to.equal(false);
      uploading.socket.write('x'.repeat(1000));
      await new Promise(setImmediate);
    }
    await until('both connections are closed', () => pipelined.isOver() && uploading.isOver());
    app.child.kill('SIGKILL');
    await app.ended;
  });

  it('emits and calls back as in stock Node when it is closed twice', async () => {
    const source = `const server = require('http').createServer();
      const seen = [];
      server.on('close', () => seen.push('close'));
      server.listen(0, () => {
        server.close((error) => seen.push(String(error)));
        server.close((error) => seen.push(error.code));
      });
      process.on('exit', () => console.log(seen.join(' ')));`;
    const stock = await runApp('cjs', source, { preload: [] });
    expect(stock.stdout).to.include('ERR_SERVER_NOT_RUNNING close');
    const drained = await runApp('cjs', source, { env: { SOCKET_TUNE_DRAIN: '5s' } });
    expect(drained).to.include({ code: 0, stdout: stock.stdout, stderr: '' });
  });

  it('clears its timers by Node’s own function, whatever the app puts in its place', async () => {
    const source = `const server = require('http').createServer().listen(0, () => {
        globalThis.clearTimeout = () => console.log('the app’s clearTimeout');
        server.close(() => console.log('closed'));
      });`;
    const drained = await runApp('cjs', source, { env: { SOCKET_TUNE_DRAIN: '5s' } });
    expect(drained).to.include({ code: 0, stdout: 'closed\n', stderr: '' });
  });

  it('cuts everything by closeAllConnections()', async () => {
    const { app, port } = await startLeaving(
      httpApp(`process.on('SIGTERM', () => { server.close(() => print('closed')); server.closeAllConnections(); })`),
    );
    const never = await wireTo(port);
    never.socket.write(get('/never'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await app.until(/closed/);
    await until('it is cut', () => never.isOver());
    // Nothing of ours keeps the process.
    expect((await app.ended).code).to.equal(0);
  });

  it('cuts idle connections of a server that goes on', async () => {
    const { app, port } = await startLeaving(
      httpApp(`process.on('SIGTERM', () => { server.closeIdleConnections(); print('cut'); })`),
    );
    const [idle, held] = await Promise.all([wireTo(port), wireTo(port)]);
    await idle.ask(get('/one'), /one$/);
    held.socket.write(get('/held'));
    await app.until(/asked/);
    app.child.kill('SIGTERM');
    await app.until(/cut/);
    await until('it is cut', () => idle.isOver());
    await (await wireTo(port)).ask(get('/release'), /release$/);
    await until('the other is answered', () => /held$/.test(held.received()));
    expect(held.received()).to.match(/^connection: keep-alive$/im);
    app.child.kill('SIGKILL');
    await app.ended;
  });

  it('goes on as if nothing had been when it listens again', async () => {
    const { app, port } = await startLeaving(
      httpApp(
        `process.on('SIGTERM', () => server.close().listen(server.port, '127.0.0.1', () => print('again', server.address().port)))`,
      ),
    );
    const idle = await wireTo(port);
    await idle.ask(get('/one'), /one$/);
    app.child.kill('SIGTERM');
    await app.until(/again/);
    expect(await idle.ask(get('/two'), /two$/)).to.match(/^connection: keep-alive$/im);
    app.child.kill('SIGKILL');
    await app.ended;
  });

  it('answers connections that its app has not accepted yet', async () => {
    // The loop is busy while the client connects, and its server closes before the next turn.
    const { app, port } = await startLeaving(
      httpApp(`process.on('SIGUSR2', () => {
        print('busy');
        require('fs').readSync(0, Buffer.alloc(1));
        server.close(() => print('closed'));
      })`),
      { under: ['bash', '-c', 'exec "$@" < <(sleep 1)', 'bash'] },
    );
    app.child.kill('SIGUSR2');
    await app.until(/busy/);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => wireTo(port)));
    for (const wire of waiting) wire.socket.write(get('/queued'));
    await until('all are answered', () => waiting.every((wire) => /queued$/.test(wire.received()) || wire.isOver()));
    for (const wire of waiting) expect(wire.received()).to.match(/queued$/);
    expect((await app.ended).stdout).to.include('closed');
  });

  for (const isSecure of [false, true]) {
    it(`ends http2 sessions ${isSecure ? 'with TLS ' : ''}by GOAWAY when their streams are done`, async () => {
      const { key, cert } = isSecure ? makeCertificate(scratchProject()) : { key: undefined, cert: undefined };
      const args = key === undefined || cert === undefined ? [] : [key, cert];
      const { code, stdout, stderr } = await runApp('cjs', HTTP2_APP, { args, env: { SOCKET_TUNE_DRAIN: '6s' } });
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      const lines = stdout.trim().split('\n');
      expect(lines[0]).to.equal('ok');
      expect(lines).to.include.members(['goaway', 'slow is slow', 'client closed', 'closed']);
      // A request that was not sent any more is all that may fail.
      for (const line of lines.slice(1)) {
        expect(line).to.match(
          /^(?:ok|goaway|slow is slow|client closed|closed|ERR_HTTP2_(?:STREAM_ERROR|GOAWAY_SESSION))$/,
        );
      }
    });
  }

  it('refuses no stream of an http2 session with TLS that comes with others, as none can be told ahead', async () => {
    const { key, cert } = makeCertificate(scratchProject());
    const source = `
const http2 = require('http2');
const { readFileSync } = require('fs');
const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path));
const server = http2.createSecureServer({ key, cert }, (request, response) => setTimeout(() => response.end('ok'), 20));
server.listen(0, '127.0.0.1', async () => {
  const client = http2.connect('https://127.0.0.1:' + server.address().port, { rejectUnauthorized: false });
  const ask = () => new Promise((resolve) => {
    const request = client.request({ ':path': '/' });
    let body = '';
    request.setEncoding('utf8').on('data', (text) => { body += text; }).on('end', () => resolve(body)).on('error', ({ code }) => resolve(code));
  });
  await ask();
  server.close();
  // Longer than streams are counted.
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log((await Promise.all(Array.from({ length: 6 }, ask))).join(' '));
});`;
    const { code, stdout } = await runApp('cjs', source, { args: [key, cert], env: { SOCKET_TUNE_DRAIN: '6s' } });
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'ok ok ok ok ok ok\n' });
  });

  it('leaves its listener to a child process that has a copy of it', async () => {
    const source = `
const { fork } = require('child_process');
const http = require('http');
if (process.argv[2] === 'child') {
  process.on('message', (_, listener) => {
    http.createServer((request, response) => response.end('child')).listen(listener, () => process.send('listening'));
  });
  process.on('disconnect', () => process.exit());
} else {
  const child = fork(__filename, ['child']);
  const server = require('net').createServer();
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    child.send('take it', server);
    child.on('message', () => server.close(() => {
      http.get({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.on('data', (data) => console.log(String(data))).on('end', () => child.disconnect());
      });
    }));
  });
}`;
    const { code, stdout } = await runApp('cjs', source, { env: { SOCKET_TUNE_DRAIN: '5s' } });
    expect({ code, stdout }).to.deep.equal({ code: 0, stdout: 'child\n' });
  });

  it('has nothing of ours in its place without the variable', async () => {
    const source = `
const { Server } = require('net');
const http = require('http');
const before = [Server.prototype.close, http.OutgoingMessage.prototype._storeHeader];
const server = http.createServer().listen(0, () => setImmediate(() => {
  const list = server[Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections')];
  console.log(Server.prototype.close === before[0], /native code/.test(list.idle));
  server.close(() => console.log(http.OutgoingMessage.prototype._storeHeader === before[1]));
}));`;
    const run = async (env: Readonly<Record<string, string>>): Promise<string> =>
      (await runApp('cjs', source, { env, preload: BY_IMPORT })).stdout;
    expect(await run({})).to.equal('true true\ntrue\n');
    expect(await run({ SOCKET_TUNE_DRAIN: '1s' })).to.equal('false false\nfalse\n');
  });
});
