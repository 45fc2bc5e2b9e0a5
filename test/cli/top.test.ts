import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CONNECTION_COLUMNS } from '../../src/report/connection-columns.js';
import { type NodeProcess, startApp } from '../support/processes/node-process.js';
import { freePort } from '../support/sockets/free-port.js';
import { skip } from '../support/test-run/skipped.js';
import { until } from '../support/until.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

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
    expect(stdout).to.include(`socket-tune: process ${app.child.pid}`);
    expect(stdout).to.match(new RegExp(`^127\\.0\\.0\\.1:${port} {2}1 accepted`, 'm'));
    const row = new RegExp(`^127\\.0\\.0\\.1:${client.localPort} +127\\.0\\.0\\.1:${port} .* 0 B +4 B$`, 'm');
    expect(stdout).to.match(row);
    // Heads of two words are two lines.
    const words = new Set(stdout.split(/\s+/));
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
      stderr: `error: process ${pid} does not tell anything of itself; start it with SOCKET_TUNE_INSPECT=127.0.0.1:9465\n`,
    });
    silent.child.kill('SIGKILL');
    expect(top('nothing').stderr).to.equal("error: 'nothing' is neither the number of a process nor a URL\n");
    expect(top('http://127.0.0.1:1').stderr).to.equal('error: http://127.0.0.1:1/ does not answer\n');
    expect(top('4194303').stderr).to.match(/^error: process 4194303 cannot be looked at: ENOENT/);
    expect(top('1', '--interval', '0').status).to.equal(2);
  });

  it('goes on until it is told to stop, on a terminal', async function () {
    if (spawnSync('script', ['--version']).status !== 0) skip(this, 'there is no script here');
    const command = `${process.execPath} ${CLI} top ${app.child.pid} --interval 0.2`;
    // Under script(1) it has a terminal.
    const script = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(script, 'close');
    let output = '';
    script.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const screens = () => output.split('\u001b[H').slice(1);
    await until('there are some screens', () => screens().length > 3);
    script.stdin.end('q');
    expect(await ended).to.deep.equal([0, null]);
    for (const screen of screens()) expect(screen).to.include(`process ${app.child.pid}`).and.include('\u001b[J');
  });
});
