import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { useScratch } from '../support/files/scratch.js';
import {
  BY_IMPORT,
  BY_REQUIRE,
  type EndedProcess,
  type NodeProcess,
  runApp,
  startApp,
} from '../support/processes/node-process.js';
import { hasProgram, skipWithout } from '../support/processes/program.js';

/** An app that listens, so that there is something to report, and prints `up 1`. What it does then is `rest`. */
function server(rest: string): string {
  return `
const { createServer } = require('net');
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
const server = createServer().listen(0, '127.0.0.1', () => { ${rest}; print('up 1'); });`;
}

interface Ending extends Omit<EndedProcess, 'report' | 'stderr'> {
  readonly hasReport: boolean;
}

interface SignalledApp {
  readonly source: string;
  /** Sent in turn, the first when the app has said `up 1`, the second when it has said `up 2`. */
  readonly signals: readonly NodeJS.Signals[];
  /** Whether the report is written. It is not where a stock process would do nothing at its end either. */
  readonly reports?: false;
}

async function send(app: NodeProcess, signals: readonly NodeJS.Signals[]): Promise<EndedProcess> {
  for (const [index, signal] of signals.entries()) {
    await app.until(new RegExp(`up ${index + 1}`));
    app.child.kill(signal);
  }
  return app.ended;
}

async function endOf({ source, signals }: SignalledApp, preload: readonly string[]): Promise<Ending> {
  const { report, stderr, ...ended } = await send(startApp('cjs', source, { preload }), signals);
  expect(stderr).to.equal('');
  return { ...ended, hasReport: report !== undefined };
}

/** What an app can see of who listens on its process. */
const VISIBLE = `
  // Loading node:util opens it, from Node 22 on.
  void process.stderr;
  const seen = () => JSON.stringify([
    process.eventNames().map(String).filter((name) => name !== 'exit'),
    ['SIGTERM', 'SIGINT', 'SIGHUP', 'newListener', 'removeListener'].map((name) => [
      process.listenerCount(name),
      process.listeners(name).map(({ name, length }) => [name, length]),
      process.rawListeners(name).map(({ name, length }) => [name, length]),
    ]),
    Object.getOwnPropertyNames(process).includes('emit'), process.kill.name, process.kill.length,
    Object.keys(process).length, process._getActiveHandles().length, process.getActiveResourcesInfo().sort(),
  ]);
  const f = function handler() {};
  print(seen());
  process.on('SIGTERM', f); print(seen());
  process.prependOnceListener('SIGTERM', f); print(seen());
  process.removeAllListeners('SIGTERM'); print(seen());
  process.on('SIGINT', f).off('SIGINT', f); print(seen());
  const told = [];
  process.on('newListener', (name) => told.push('new ' + name)).on('removeListener', (name) => told.push('removed ' + name));
  process.on('SIGHUP', f).off('SIGHUP', f);
  print(told);
`;

const APPS: Readonly<Record<string, SignalledApp>> = {
  'listens for nothing': { source: server(''), signals: ['SIGTERM'] },
  'exits in its handler': {
    source: server(`process.on('SIGTERM', (...args) => { print(args); process.exit(3); })`),
    signals: ['SIGTERM'],
  },
  'closes its server in its handler': {
    source: server(`process.on('SIGTERM', () => server.close())`),
    signals: ['SIGTERM'],
  },
  'listens once': {
    source: server(`process.once('SIGTERM', () => print('up 2'))`),
    signals: ['SIGTERM', 'SIGTERM'],
  },
  'has handlers in an order': {
    source: server(`
      process.on('SIGINT', () => { print('second'); process.exit(); });
      process.prependListener('SIGINT', () => print('first'));
      process.prependOnceListener('SIGINT', () => print('once'))`),
    signals: ['SIGINT'],
  },
  'has taken its handler away': {
    source: server(`const f = () => print('told'); process.on('SIGTERM', f); process.off('SIGTERM', f)`),
    signals: ['SIGTERM'],
  },
  'has taken all handlers of the signal away': {
    source: server(`process.on('SIGTERM', print); process.on('SIGTERM', print); process.removeAllListeners('SIGTERM')`),
    signals: ['SIGTERM'],
  },
  'has taken all of its listeners away': {
    // Those of 'exit' as well.
    source: server(`process.on('SIGTERM', print); process.removeAllListeners()`),
    signals: ['SIGTERM'],
  },
  'takes its handler away in it': {
    source: server(`const f = () => { process.off('SIGHUP', f); print('up 2'); }; process.on('SIGHUP', f)`),
    signals: ['SIGHUP', 'SIGHUP'],
  },
  'kills itself by the signal when it has cleaned up': {
    source: server(
      `process.once('SIGTERM', () => { process.kill(process.pid, 'SIGTERM'); print('not reached'); process.exit(9); })`,
    ),
    signals: ['SIGTERM'],
  },
  'kills itself by a number': {
    source: server(`setImmediate(() => { process.kill(process.pid, 1); print('not reached'); process.exit(9); })`),
    signals: [],
  },
  'kills itself and does not say by what': {
    source: server(`setImmediate(() => { process.kill(process.pid); print('not reached'); process.exit(9); })`),
    signals: [],
  },
  'looks whether it is there': {
    source: server('print(process.kill(process.pid, 0))'),
    signals: ['SIGTERM'],
  },
  'listens for another signal': {
    source: server(`process.on('SIGINT', () => print('told'))`),
    signals: ['SIGTERM'],
  },
  'is killed by a signal that nobody can listen for': { source: server(''), signals: ['SIGKILL'], reports: false },
  'is ended by another signal': { source: server(''), signals: ['SIGUSR2'], reports: false },
  'has replaced process.emit before it listens': {
    source: server(`
      const { emit } = process;
      process.emit = function (name, ...args) { if (name === 'SIGTERM') print('replaced'); return emit.call(this, name, ...args); };
      process.on('SIGTERM', () => process.exit(4))`),
    signals: ['SIGTERM'],
  },
  'has replaced process.emit after it began to listen': {
    source: server(`
      process.on('SIGTERM', () => process.exit(4));
      const { emit } = process;
      process.emit = function (name, ...args) { if (name === 'SIGTERM') print('replaced'); return emit.call(this, name, ...args); }`),
    signals: ['SIGTERM'],
  },
  'ran a script that Ctrl+C can break, and listens after': {
    source: server(`
      require('vm').runInThisContext('1', { breakOnSigint: true });
      process.on('SIGINT', () => { print('told'); process.exit(5); })`),
    signals: ['SIGINT'],
  },
  'ran a script that Ctrl+C can break while it listens': {
    source: server(`
      process.on('SIGINT', () => { print('told'); process.exit(5); });
      require('vm').runInThisContext('1', { breakOnSigint: true })`),
    signals: ['SIGINT'],
  },
  'waits for the signal by a promise': {
    source: server(`require('events').once(process, 'SIGTERM').then((args) => { print(args); process.exit(6); })`),
    signals: ['SIGTERM'],
  },
  'throws in its handler, which somebody catches': {
    source: server(`
      process.on('uncaughtException', ({ message }) => { print(message); process.exit(7); });
      process.on('SIGTERM', () => { throw new Error('thrown'); })`),
    signals: ['SIGTERM'],
  },
  'ends by itself': { source: server('setImmediate(() => server.close())'), signals: [] },
  'has a worker thread that listens for signals, which hears of none': {
    source: `
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (isMainThread) {
  ${server('').replace("print('up 1');", "new Worker(__filename, { env: { SOCKET_TUNE_REPORT: 'off' } }).once('message', () => print('up 1'));")}
} else {
  process.on('SIGTERM', () => require('fs').writeSync(1, 'told'));
  require('net').createServer().listen(0, '127.0.0.1', () => parentPort.postMessage('up'));
}`,
    signals: ['SIGTERM'],
  },
  'has a child process, with the signals as they are by default': {
    source: server(
      `print(require('child_process').execFileSync('grep', ['-E', 'Sig(Cgt|Ign|Blk)', '/proc/self/status']))`,
    ),
    signals: ['SIGTERM'],
  },
};

const CLUSTER = `
const cluster = require('cluster');
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
if (cluster.isPrimary) {
  const ends = [];
  cluster.on('exit', ({ id }, code, signal) => {
    ends[id - 1] = [code, signal];
    if (Object.keys(ends).length === 4) { print(JSON.stringify(ends)); process.exit(); }
  });
  cluster.on('disconnect', ({ id, exitedAfterDisconnect }) => print('disconnect', id, exitedAfterDisconnect));
  const say = [(worker) => worker.kill(), (worker) => worker.process.kill('SIGTERM'), (worker) => worker.disconnect(), (worker) => worker.process.kill('SIGINT')];
  const next = () => {
    const act = say.shift();
    if (act === undefined) return;
    cluster.fork().once('listening', function () { this.once('exit', next); act(this); });
  };
  next();
} else require('http').createServer().listen(0, '127.0.0.1');`;

/** Runs a program in a terminal of its own, and says then how it has ended, and what state the terminal is in. */
const IN_TERMINAL = [
  'bash',
  '-c',
  'script -qec "$(printf "%q " "$@"); echo status \\$?; stty -a" /dev/null',
  'bash',
] as const;

/** Wait until a condition holds of what /proc says of a process. */
async function untilStatus(pid: number | undefined, isSo: (status: string) => boolean): Promise<void> {
  while (!isSo(readFileSync(`/proc/${pid}/status`, 'utf8'))) await setTimeout(5);
}

/** Whether a process has a handler for a signal. */
function catches(status: string, signal: NodeJS.Signals): boolean {
  const mask = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1]}`);
  return (mask & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

describe('a process that reports, and is ended by a signal,', () => {
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    it(`writes its report on ${signal}, with what is known by then, and is killed by it`, async () => {
      const source = server(`require('net').connect(server.address().port, '127.0.0.1', () => print('up 2'))`);
      const app = startApp('cjs', source);
      await app.until(/up 2/);
      const { code, signal: by, stderr, report } = await send(app, [signal]);
      expect({ code, by, stderr }).to.deep.equal({ code: null, by: signal, stderr: '' });
      expect(report?.connections).to.equal(1);
      expect(report?.listeners[0]?.accepted).to.have.length.greaterThan(0);
    });
  }

  it('writes it to standard error', async () => {
    const app = startApp('cjs', server(''), { env: { SOCKET_TUNE_REPORT: 'exit' } });
    const { signal, stderr } = await send(app, ['SIGTERM']);
    expect(signal).to.equal('SIGTERM');
    expect(stderr.match(/socket-tune report of process/g)).to.have.length(1);
    expect(stderr).to.match(/^listener 127\.0\.0\.1:\d+, 0 connections$/m);
  });

  for (const [name, app] of Object.entries(APPS)) {
    it(`ends as without us if it ${name}`, async () => {
      const [stock, tuned] = await Promise.all([endOf(app, []), endOf(app, BY_IMPORT)]);
      expect({ ...tuned, hasReport: false }).to.deep.equal(stock);
      expect(tuned.hasReport, 'report').to.equal(app.reports ?? true);
    });
  }

  for (const [name, env] of Object.entries({
    'reports by its variable': {},
    'does not': { SOCKET_TUNE_REPORT: 'off' },
  })) {
    it(`sees no listener of ours where it ${name}`, async () => {
      const app = { source: server(VISIBLE), signals: ['SIGTERM'] } as const;
      const stock = await endOf(app, []);
      const { stdout } = await send(startApp('cjs', app.source, { env, preload: BY_REQUIRE }), app.signals);
      expect(stdout).to.equal(stock.stdout);
    });
  }

  it('has the signals and the functions of stock again when socket-tune is uninstalled', async () => {
    const source = `
import { install } from 'socket-tune';
import { createServer } from 'node:net';
import { readFileSync, writeSync } from 'node:fs';
const { kill } = process;
const state = () => writeSync(1, JSON.stringify([
  readFileSync('/proc/self/status', 'utf8').match(/SigCgt:\\s*(\\w+)/)[1], process.kill === kill,
  ...['newListener', 'removeListener'].map((name) => String(process.rawListeners(name).at(-1))),
]) + '\\n');
await new Promise((resolve) => { const server = createServer().listen(0, () => server.close(resolve)); });
state();
const uninstall = install({ report: 'exit' });
await new Promise((resolve) => { const server = createServer().listen(0, () => server.close(resolve)); });
state();
uninstall();
state();`;
    const { stdout, stderr } = await runApp('mjs', source, { preload: [] });
    expect(stderr).to.equal('');
    const [before, during, after] = stdout.trim().split('\n');
    expect(during).not.to.equal(before);
    expect(after).to.equal(before);
  });

  it('has the signals of stock where it does not report', async () => {
    const app = startApp('cjs', server(''), { env: { SOCKET_TUNE_REPORT: 'off' } });
    await app.until(/up 1/);
    // Node itself handles SIGTERM and SIGINT, to leave the terminal as it was.
    expect(catches(readFileSync(`/proc/${app.child.pid}/status`, 'utf8'), 'SIGHUP')).to.equal(false);
    expect((await send(app, ['SIGTERM'])).signal).to.equal('SIGTERM');
  });

  it('is ended by the second signal while it is too busy for the first', async () => {
    const app = startApp('cjs', server(`setImmediate(() => { print('busy'); for (;;); })`));
    await app.until(/busy/);
    app.child.kill('SIGTERM');
    await untilStatus(app.child.pid, (status) => !catches(status, 'SIGTERM'));
    app.child.kill('SIGTERM');
    expect(await app.ended).to.include({ code: null, signal: 'SIGTERM', report: undefined });
  });

  it('is ended by the second signal while it writes', async () => {
    // Nobody opens the other end of this pipe.
    const fifo = scratch.path('report.fifo');
    execFileSync('mkfifo', [fifo]);
    const app = startApp('cjs', server(''), { env: { SOCKET_TUNE_REPORT: fifo } });
    await app.until(/up 1/);
    app.child.kill('SIGINT');
    await untilStatus(app.child.pid, (status) => !catches(status, 'SIGHUP'));
    app.child.kill('SIGTERM');
    expect(await app.ended).to.include({ code: null, signal: 'SIGTERM' });
  });

  it('has a cluster whose workers end as without us, and report', async () => {
    const run = (preload: readonly string[]): Promise<EndedProcess> =>
      startApp('cjs', CLUSTER, { preload, env: { SOCKET_TUNE_REPORT: 'exit' } }).ended;
    const [stock, tuned] = await Promise.all([run([]), run(BY_IMPORT)]);
    expect([tuned.code, tuned.stdout]).to.deep.equal([stock.code, stock.stdout]);
    // Four workers, and the primary.
    expect(tuned.stderr.match(/socket-tune report of process/g)).to.have.length(5);
  });

  it('leaves a terminal as stock does', async function () {
    if (!hasProgram('script')) skipWithout(this, 'script');
    // Another process sends the signal: this one hears of it by its event loop.
    const source = server(`
      process.stdin.setRawMode(true);
      setImmediate(() => require('child_process').spawn('kill', [String(process.pid)]))`);
    const terminalAfter = async (preload: readonly string[]): Promise<string> => {
      const { stdout } = await startApp('cjs', source, { preload, under: IN_TERMINAL }).ended;
      return stdout;
    };
    const [stock, tuned] = await Promise.all([terminalAfter([]), terminalAfter(BY_IMPORT)]);
    expect(stock)
      .to.match(/status 143/)
      .and.match(/ icanon/);
    expect(tuned).to.equal(stock);
  });

  it('goes on as process 1 of a container, as without us, when it has reported', async function () {
    const inContainer = ['unshare', '--pid', '--fork', '--kill-child'];
    if (spawnSync('unshare', [...inContainer.slice(1), 'true']).status !== 0) this.skip();
    const source = server(`
      const { spawn } = require('child_process');
      const kill = (done) => spawn('kill', [String(process.pid)]).once('exit', () => setImmediate(done));
      kill(() => kill(() => { print('alive', process.pid); server.close(); }))`);
    const run = (preload: readonly string[]): Promise<EndedProcess> =>
      startApp('cjs', source, { preload, under: inContainer, env: { SOCKET_TUNE_REPORT: 'exit' } }).ended;
    const [stock, tuned] = await Promise.all([run([]), run(BY_IMPORT)]);
    expect(stock).to.include({ code: 0, stdout: 'up 1\nalive 1\n', stderr: '' });
    expect(tuned).to.include({ code: 0, stdout: 'up 1\nalive 1\n' });
    // By the signal, and at its end.
    expect(tuned.stderr.match(/socket-tune report of process 1$/gm)).to.have.length(2);
  });
});
