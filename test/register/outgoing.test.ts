import { expect } from 'chai';
import {
  type AppOptions,
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  runApp,
} from '../support/processes/node-process.js';
import { freePort } from '../support/sockets/free-port.js';
import { echoPeer, type Peer } from '../support/sockets/outgoing.js';

const ON = { SOCKET_TUNE_CONNECT: 'on', SOCKET_TUNE_CONNECT_USER_TIMEOUT: '54321ms' };
/** With options that have to be there before connect(2). */
const EARLY = { ...ON, SOCKET_TUNE_CONNECT_SYNCNT: '3', SOCKET_TUNE_CONNECT_TOS: 'ef' };
const PRELOADS = { 'by --import': BY_IMPORT, 'by -r': BY_REQUIRE };

/** An app that does this with `net`, as either kind of module. */
const IMPORTS = { mjs: "import net from 'node:net';\n", cjs: "const net = require('node:net');\n" } as const;

const connects = 'const [port] = process.argv.slice(2);\n';

/** What the kernel says of the first socket that the process opened. */
function kernelOf({ report }: EndedProcess, option: string): unknown {
  return report?.outgoing.outcomes.find((outcome) => outcome.option === option)?.kernel;
}

describe('an app that opens sockets under the preload', () => {
  let peer: Peer;
  let refusing: string;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    peer = await echoPeer();
    refusing = String(await freePort());
  });

  after(() => peer?.close());

  const run = (type: 'mjs' | 'cjs', source: string, options: AppOptions = {}) =>
    runApp(type, IMPORTS[type] + connects + source, { args: [String(peer.port)], ...options });

  /** An app, stock and under CONNECT=on, without and with options before connect(2). */
  async function everyWay(type: 'mjs' | 'cjs', source: string, options: AppOptions = {}) {
    const [stock, tuned, early] = await Promise.all([
      run(type, source, { ...options, preload: [] }),
      run(type, source, { ...options, env: ON }),
      run(type, source, { ...options, env: EARLY }),
    ]);
    return { stock, tuned, early };
  }

  for (const [how, preload] of Object.entries(PRELOADS)) {
    for (const type of ['mjs', 'cjs'] as const) {
      for (const [what, env] of Object.entries({ 'options for any time': ON, 'options before connect(2)': EARLY })) {
        it(`has its first socket tuned, made as the very first thing of the app: ${how}, ${type}, ${what}`, async () => {
          const source = `const socket = new net.Socket();
            socket.connect(port, '127.0.0.1');
            socket.on('data', (data) => { console.log(String(data)); socket.destroy(); });`;
          const ended = await run(type, source, { preload, env });
          expect(ended).to.include({ code: 0, stdout: 'hello\n', stderr: '' });
          expect(ended.report?.outgoing.sockets).to.equal(1);
          expect(kernelOf(ended, 'userTimeout')).to.equal(54_321);
          expect(kernelOf(ended, 'synCount')).to.equal(env === EARLY ? 3 : undefined);
        });
      }
    }
  }

  it('has the sockets of worker threads tuned', async () => {
    const source = `const { Worker, isMainThread } = require('node:worker_threads');
      if (isMainThread) {
        const worker = new Worker(__filename, { argv: [port] });
        worker.on('error', (error) => console.log(error)).on('exit', (code) => console.log('ended with', code));
      } else {
        const socket = new net.Socket();
        socket.connect(port, '127.0.0.1');
        socket.once('data', (data) => {
          socket.destroy();
          const { outgoing } = require('socket-tune').stats();
          console.log(outgoing.sockets, outgoing.outcomes.find(({ option }) => option === 'synCount').kernel);
        });
      }`;
    const ended = await run('cjs', source, { env: EARLY });
    expect(ended).to.include({ code: 0, stdout: '1 3\nended with 0\n', stderr: '' });
    expect(ended.report?.outgoing.sockets).to.equal(0);
  });

  it('survives the end of a worker thread in the middle of a connection', async () => {
    const source = `const { Worker, isMainThread } = require('node:worker_threads');
      if (isMainThread) {
        const worker = new Worker(__filename, { argv: [port] });
        worker.on('message', () => worker.terminate()).on('exit', (code) => console.log('ended with', code));
      } else {
        for (let i = 0; i < 20; i++) net.connect(port, '127.0.0.1');
        require('node:worker_threads').parentPort.postMessage('connecting');
        setInterval(() => undefined, 1000);
      }`;
    for (const env of [ON, EARLY]) {
      expect(await run('cjs', source, { env })).to.include({ code: 0, stdout: 'ended with 1\n', stderr: '' });
    }
  });

  it('is as in stock Node where CONNECT is off, to the methods of its sockets', async () => {
    const source = `const socket = net.connect(port, '127.0.0.1');
      socket.once('data', () => {
        const texts = [];
        for (const object of [net.Socket.prototype, Object.getPrototypeOf(socket._handle)]) {
          for (const name of Object.getOwnPropertyNames(object)) {
            const { value } = Object.getOwnPropertyDescriptor(object, name);
            if (typeof value === 'function') texts.push([name, String(value)]);
          }
        }
        socket.destroy();
        console.log(JSON.stringify(texts), process.report.getReport().sharedObjects.some((path) => /koffi/.test(path)));
      });`;
    const env = {
      SOCKET_TUNE_CONNECT: 'off',
      SOCKET_TUNE_SENDFILE: 'off',
      SOCKET_TUNE_USER_TIMEOUT: '5s',
      SOCKET_TUNE_TOS: 'ef',
    };
    const stock = await run('mjs', source, { preload: [] });
    expect(stock.stdout).to.include('lookupAndConnect').and.to.include('false');
    const off = await run('mjs', source, { env });
    expect(off).to.include({ code: 0, stdout: stock.stdout, stderr: '' });
    expect(off.report?.outgoing).to.deep.equal({ sockets: 0, outcomes: [] });
    const on = await run('mjs', source, { env: { ...env, ...ON } });
    expect(on).to.include({ code: 0, stderr: '' });
    expect(on.stdout).not.to.equal(stock.stdout);
  });

  it('dies of a connection that is refused as in stock Node', async () => {
    const source = "net.connect(port, '127.0.0.1');";
    const { stock, tuned, early } = await everyWay('cjs', source, { args: [refusing] });
    expect(stock).to.include({ code: 1 });
    expect(stock.stderr).to.include('Error: connect ECONNREFUSED');
    // Its last frame is our callback, which calls Node's.
    for (const { report, ...ended } of [tuned, early]) {
      expect(ended).to.include({ code: 1, signal: null, stdout: '' });
      expect(ended.stderr.split('\n').slice(0, 5)).to.deep.equal(stock.stderr.split('\n').slice(0, 5));
      expect(report?.outgoing.sockets).to.equal(1);
    }
  });

  it('finds no frame of ours in the errors of connections that are refused, where these are guarded', async () => {
    const source = `for (const host of ['127.0.0.1', 'localhost']) {
        net.connect({ port, host }).on('error', ({ stack, errors = [] }) => console.log(stack, errors.map((one) => one.stack)));
      }`;
    const [stock, guarded] = await Promise.all([
      run('cjs', source, { preload: [], args: [refusing] }),
      run('cjs', source, { args: [refusing] }),
    ]);
    expect(stock.stdout).to.include('afterConnect');
    expect(guarded.stdout).to.equal(stock.stdout);
  });

  it('ends when its sockets are closed, or unreferenced, and with the code that it set', async () => {
    const SOURCES = [
      "net.connect(port, '127.0.0.1').unref();",
      "net.connect(port, '127.0.0.1').once('connect', function () { this.unref(); });",
      "net.connect(port, '127.0.0.1').once('data', function () { this.end(); process.exitCode = 7; }).resume();",
      "net.connect(port, '127.0.0.1').destroy();",
      "net.connect(port, '127.0.0.1').once('connect', () => process.exit(3));",
      `const controller = new AbortController();
       net.connect({ port, host: 'x', lookup() {}, signal: controller.signal }).on('error', (error) => console.log(error.code));
       setTimeout(() => controller.abort(), 5);`,
    ];
    for (const source of SOURCES) {
      const { stock, tuned, early } = await everyWay('cjs', source);
      const { report: _, ...rest } = stock;
      expect(tuned, source).to.include(rest);
      expect(early, source).to.include(rest);
    }
  });

  it('runs out of descriptors as in stock Node', async () => {
    const source = `const seen = new Set();
      const sockets = [];
      let left = 60;
      // All of them are open until the last has been.
      const settle = () => {
        if (--left > 0) return;
        for (const socket of sockets) socket.destroy();
        console.log([...seen].join('\\n'));
      };
      for (let i = 0; i < 60; i++) {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('error', ({ code, syscall, message }) => seen.add([code, syscall, message.replace(port, 'port')].join(' ')));
        sockets.push(socket);
        socket.on('connect', settle).on('error', settle);
      }`;
    const limited = { under: ['sh', '-c', 'ulimit -n 50; exec "$@"', 'sh'] };
    const { stock, tuned, early } = await everyWay('cjs', source, limited);
    expect(stock.stdout).to.match(/^EMFILE connect connect EMFILE/);
    for (const ended of [tuned, early]) {
      expect(ended).to.include({ code: 0, stdout: stock.stdout, stderr: '' });
      expect(ended.report?.outgoing.sockets).to.be.above(10).and.below(60);
    }
  });

  it('hands its child processes no socket of ours', async () => {
    const source = `const { spawnSync } = require('node:child_process');
      const socket = net.connect(port, '127.0.0.1').once('data', () => {
        const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
        console.log(stdout.split('\\n').filter((line) => line.includes('socket:')).length);
        socket.destroy();
      });`;
    const { stock, tuned, early } = await everyWay('cjs', source);
    expect(early.stdout).to.equal(stock.stdout);
    expect(tuned.stdout).to.equal(stock.stdout);
    expect(kernelOf(early, 'synCount')).to.equal(3);
  });

  it('holds nothing of thousands of connections that are gone', async () => {
    const ROUNDS = 60;
    // Objects that the stack may still hold.
    const MOST_LEFT = 20;
    const source = `const fs = require('node:fs');
      const server = net.createServer((socket) => socket.on('error', () => undefined).end('x')).listen(0, '127.0.0.1');
      const held = [];
      function one(local) {
        return new Promise((resolve) => {
          const socket = net.connect(local, '127.0.0.1');
          socket.setNoDelay(false);
          held.push(new WeakRef(socket), new WeakRef(socket._handle));
          socket.resume().on('close', resolve);
        });
      }
      async function main() {
        const { port: local } = server.address();
        await Promise.all(Array.from({ length: 50 }, () => one(local)));
        const before = fs.readdirSync('/proc/self/fd').length;
        for (let i = 0; i < ${ROUNDS}; i++) await Promise.all(Array.from({ length: 50 }, () => one(local)));
        const left = () => held.filter((ref) => ref.deref() !== undefined).length;
        const descriptors = () => fs.readdirSync('/proc/self/fd').length - before;
        for (let i = 0; i < 500 && (left() >= ${MOST_LEFT} || descriptors() > 1); i++) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          gc();
        }
        console.log(JSON.stringify({ left: left(), descriptors: descriptors(), all: held.length }));
        server.close();
      }
      server.on('listening', main);`;
    for (const env of [ON, EARLY]) {
      const ended = await run('cjs', source, { preload: [...BY_IMPORT, '--expose-gc'], env });
      expect(ended).to.include({ code: 0, stderr: '' });
      expect(ended.report?.outgoing.sockets).to.equal((ROUNDS + 1) * 50);
      const { left, descriptors, all } = JSON.parse(ended.stdout);
      expect(all).to.equal((ROUNDS + 1) * 100);
      expect(left).to.be.below(MOST_LEFT);
      expect(descriptors).to.be.at.most(1);
    }
  });
});

describe('an app with UDP sockets under the preload', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  const source = `import dgram from 'node:dgram';
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => {
      console.log(socket.getRecvBufferSize());
      socket.close();
    });`;

  for (const [how, preload] of Object.entries(PRELOADS)) {
    it(`has them tuned, from the first on, with no variable set: ${how}`, async () => {
      const stock = Number((await runApp('mjs', source, { preload: [] })).stdout);
      const ended = await runApp('mjs', source, { preload });
      expect(ended).to.include({ code: 0, stderr: '' });
      expect(ended.report?.datagrams.sockets).to.equal(1);
      expect(Number(ended.stdout)).to.be.at.least(stock);
      const [outcome] = ended.report?.datagrams.outcomes ?? [];
      expect(outcome).to.include({ constant: 'SO_RCVBUF', kernel: Number(ended.stdout) });
      expect(ended.report?.listeners).to.deep.equal([]);
    });
  }

  it('has the sockets of the workers of a cluster tuned, and those are shared as ever', async () => {
    const clustered = `const cluster = require('node:cluster');
      const dgram = require('node:dgram');
      if (cluster.isPrimary) {
        const ports = new Set();
        let answers = 0;
        for (let i = 0; i < 2; i++) {
          const worker = cluster.fork();
          worker.on('message', ({ port, size, sockets }) => {
            ports.add(port);
            console.log(size, sockets);
            // As long as one of them has it, the port is shared.
            if (++answers === 2) for (const each of Object.values(cluster.workers)) each.send('end');
          });
        }
        cluster.on('exit', (_worker, code) => console.log('ended with', code));
        process.on('exit', () => console.log(ports.size));
      } else {
        const socket = dgram.createSocket('udp4');
        socket.bind(0, '127.0.0.1', () => {
          let sockets = 0;
          try { ({ sockets } = require('socket-tune').stats().datagrams); } catch {}
          process.send({ port: socket.address().port, size: socket.getRecvBufferSize(), sockets });
        });
        process.on('message', () => socket.close(() => process.disconnect()));
      }`;
    const env = { SOCKET_TUNE_UDP_RCVBUF: '120k' };
    const ended = await runApp('cjs', clustered, { env });
    expect(ended).to.include({ code: 0, stderr: '' });
    const lines = ended.stdout.trim().split('\n').sort();
    expect(lines).to.deep.equal(['1', `${240 << 10} 1`, `${240 << 10} 1`, 'ended with 0', 'ended with 0']);
  });
});
