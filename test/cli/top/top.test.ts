import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { CONNECTION_COLUMNS } from '../../../src/report/connection-columns.js';
import { type NodeProcess, startApp } from '../../support/processes/node-process.js';
import { freePort } from '../../support/sockets/free-port.js';
import { skip } from '../../support/test-run/skipped.js';
import { until } from '../../support/until.js';

const CLI = fileURLToPath(new URL('../../../../dist/cli.js', import.meta.url));

function top(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'top', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('socket-tune top', () => {
  const source =
    "const server = require('net').createServer((socket) => socket.write('held')).listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));";
  let app: NodeProcess;
  let client: Socket;
  let inspect: number;
  let port: number;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    inspect = await freePort();
    const probe = createServer().listen(inspect, '127.0.0.1');
    await once(probe, 'listening');
    // Taken, so that the process is at the next one or the one after.
    app = startApp('cjs', source, { env: { SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}-${inspect + 20}` } });
    port = Number((await app.until(/port (\d+)/))[1]);
    probe.close();
    client = connect(port, '127.0.0.1');
    await once(client, 'data');
    // It goes from port to port while the app runs.
    await until('the process can be seen', () => top(String(app.child.pid)).status === 0);
  });

  after(() => {
    client?.destroy();
    app?.child.kill('SIGKILL');
  });

  it('finds a process by its number, and prints once where there is no terminal', () => {
    const { status, stdout, stderr } = top(String(app.child.pid));
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(new RegExp(`^socket-tune: .+, process ${app.child.pid}, Node `));
    expect(stdout).to.match(new RegExp(`^127\\.0\\.0\\.1:${port} {2}1 accepted`, 'm'));
    const row = new RegExp(`^127\\.0\\.0\\.1:${client.localPort} +127\\.0\\.0\\.1:${port} .* 0 B +4 B$`, 'm');
    expect(stdout).to.match(row);
    // Heads of two words are two lines.
    const words = new Set(stdout.replaceAll('▼', '').split(/\s+/));
    for (const { head } of CONNECTION_COLUMNS) expect([...words], head).to.include.members(head.split(' '));
  });

  it('prints the snapshot as JSON', () => {
    const snapshot = JSON.parse(top(String(app.child.pid), '--json').stdout);
    expect(snapshot).to.include({ pid: app.child.pid });
    expect(snapshot.connections).to.include({ open: 1 });
  });

  it('says what is missing where there is nothing to be seen', async () => {
    const silent = startApp('cjs', "setTimeout(() => {}, 20_000); console.log('up')");
    await silent.until(/up/);
    const pid = String(silent.child.pid);
    expect(top(pid)).to.deep.equal({
      status: 1,
      stdout: '',
      stderr: `error: process ${pid} has no SOCKET_TUNE_INSPECT; start it with SOCKET_TUNE_INSPECT=127.0.0.1:9465\n`,
    });
    silent.child.kill('SIGKILL');
    expect(top('nothing').stderr).to.equal("error: 'nothing' is neither the number of a process nor a URL\n");
    expect(top('http://127.0.0.1:1').stderr).to.equal('error: http://127.0.0.1:1/ does not answer\n');
    expect(top('4194303').stderr).to.match(/^error: the environment of process 4194303 cannot be read: ENOENT/);
    expect(top('1', '--interval', '0').status).to.equal(2);
  });

  it('names the processes to choose from, where none is named', async () => {
    const { status, stderr } = top();
    // Other tests may watch processes of their own at the same time.
    if (status === 0) return;
    expect(stderr).to.match(/^error: there are \d+ processes; name a process:\n/);
    expect(stderr).to.match(new RegExp(`^ {2}${app.child.pid} {2}.+, 1 connections$`, 'm'));
  });

  /** The command under script(1), which gives it a terminal of this size. */
  class Session {
    output = '';
    readonly child;
    readonly ended;

    constructor(target: string, columns: number, rows: number) {
      // The number of the process is that of the shell, which it replaces.
      const command = `stty cols ${columns} rows ${rows}; echo shell $$; exec ${process.execPath} ${CLI} top ${target} --interval 0.2`;
      this.child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
      this.ended = once(this.child, 'close');
      this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }

    get pid(): number {
      return Number(/shell (\d+)/.exec(this.output)?.[1]);
    }

    /** What each write shows: the lines of a screen, without colours. */
    get screens(): readonly (readonly string[])[] {
      const frames = this.output.split('\u001b[H').slice(1);
      return frames.map((frame) => stripVTControlCharacters(frame.split('\u001b[J')[0] ?? '').split(/\r+\n/));
    }

    type(keys: string): void {
      this.child.stdin.write(keys);
    }

    async shows(pattern: RegExp): Promise<readonly string[]> {
      await until(`the screen shows ${pattern}`, () => pattern.test(this.screens.at(-1)?.join('\n') ?? ''));
      return this.screens.at(-1) ?? [];
    }
  }

  /** Everything that a user's terminal gets back. */
  const RESTORED = ['\u001b[?25h', '\u001b[?7h', '\u001b[?1049l'];

  describe('on a terminal', () => {
    before(function () {
      if (spawnSync('script', ['--version']).status !== 0) skip(this, 'there is no script here');
    });

    for (const [columns, rows] of [
      [80, 24],
      [120, 40],
      [40, 10],
    ] as const) {
      it(`goes on until it is told to stop, and fits ${columns} × ${rows}`, async () => {
        const session = new Session(String(app.child.pid), columns, rows);
        await until('there are some screens', () => session.screens.length > 3);
        session.type('q');
        expect(await session.ended).to.deep.equal([0, null]);
        for (const screen of session.screens) {
          expect(screen[0]).to.include(`process ${app.child.pid}`);
          expect(screen.length).to.equal(rows);
          for (const line of screen) expect(Array.from(line).length, line).to.be.at.most(columns);
        }
        for (const sequence of RESTORED) expect(session.output.split(sequence)).to.have.length(2);
      });
    }

    it('does what its keys say', async () => {
      const session = new Session(String(app.child.pid), 80, 24);
      await session.shows(/trip▼/);
      session.type('\u001b[C');
      await session.shows(/retransmits▼/);
      session.type('r');
      await session.shows(/retransmits▲/);
      session.type('3');
      const screen = await session.shows(/^listener +accepted▼/m);
      expect(screen.join('\n')).to.match(new RegExp(`^127\\.0\\.0\\.1:${port} +1 `, 'm'));
      session.type('\t');
      await session.shows(/^files +amount/m);
      session.type('\u0003');
      expect(await session.ended).to.deep.equal([0, null]);
    });

    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      it(`gives the terminal back at ${signal}, and ends by it`, async () => {
        const session = new Session(String(app.child.pid), 80, 24);
        await until('there is a screen', () => session.screens.length > 1);
        expect(session.output).not.to.include(RESTORED[0]);
        process.kill(session.pid, signal);
        const [code] = await session.ended;
        // script(1) ends as a shell does.
        expect(code).to.equal(128 + constants.signals[signal]);
        for (const sequence of RESTORED) expect(session.output.split(sequence)).to.have.length(2);
      });
    }

    it('ends, and says so, when the process has ended', async () => {
      const free = await freePort();
      const own = startApp('cjs', source, { env: { SOCKET_TUNE_INSPECT: `127.0.0.1:${free}` } });
      await own.until(/port \d+/);
      await until('it can be seen', () => top(String(own.child.pid)).status === 0);
      const session = new Session(String(own.child.pid), 80, 24);
      await until('there is a screen', () => session.screens.length > 1);
      own.child.kill('SIGKILL');
      expect((await session.ended)[0]).to.equal(1);
      expect(session.output.trimEnd().endsWith(`error: process ${own.child.pid} has ended`)).to.equal(true);
    });
  });
});
