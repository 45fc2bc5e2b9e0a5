import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text as streamText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { preloadFlags } from '../../src/cli/run.js';
import type { Verification } from '../../src/cli/verify.js';
import { ENVIRONMENT_SETTINGS, SETTINGS } from '../../src/config/settings.js';
import { sysctlWords } from '../../src/native/sysctl.js';
import { OPTION_ROWS } from '../../src/options/table.js';
import { useScratch } from '../support/files/scratch.js';

const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Ended {
  const env = { PATH: process.env.PATH, ...variables };
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

/** The command with some words of JSON among its answer. */
function json<T>(args: readonly string[], variables: Readonly<Record<string, string>> = {}): T {
  const { stdout, stderr } = cli([...args, '--json'], variables);
  expect(stderr).to.equal('');
  return JSON.parse(stdout);
}

describe('socket-tune on the command line', () => {
  it('has help, a version, and exit codes', () => {
    const help = cli(['--help']);
    expect(help).to.include({ status: 0, stderr: '' });
    for (const command of ['doctor', 'explain', 'run']) expect(help.stdout).to.include(`  ${command} `);
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(cli(['--version'])).to.deep.equal({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(cli(['doctor', '--help']).status).to.equal(0);
  });

  it('answers what it does not know with what may have been meant', () => {
    const command = cli(['docter']);
    expect(command).to.include({ status: 2, stdout: '' });
    expect(command.stderr).to.include('Did you mean doctor?');
    const option = cli(['explain', '--jsn']);
    expect(option).to.include({ status: 2, stdout: '' });
    expect(option.stderr).to.include('--json');
    expect(cli(['explain', '--preset', 'fast']).stderr).to.include('lowlatency');
  });

  it('has no colours where it is not on a terminal', () => {
    for (const command of ['doctor', 'explain', '--help']) {
      expect(cli([command]).stdout, command).not.to.include('\u001b');
    }
  });

  it('warns of variables that are not understood, and goes on', () => {
    const { status, stdout, stderr } = cli(['explain'], { SOCKET_TUNE_NODELAY: 'maybe', SOCKET_TUNE_TOSS: 'ef' });
    expect(status).to.equal(0);
    expect(stdout).to.include('SOCKET_TUNE_NODELAY = on');
    expect(stderr.split('\n')).to.deep.equal([
      "warning: SOCKET_TUNE_NODELAY='maybe': expected on or off; using on instead",
      "warning: SOCKET_TUNE_TOSS='ef': expected a variable that socket-tune knows, such as SOCKET_TUNE_TOS; using nothing instead",
      '',
    ]);
  });
});

describe('socket-tune explain', () => {
  interface Explained {
    readonly variable: string;
    readonly value?: unknown;
    readonly source: string;
    readonly constant: string;
    readonly supported: boolean;
    readonly doc: string;
    readonly link: string;
    readonly sockets?: readonly { readonly sockets: string; readonly text: string; readonly source: string }[];
  }

  function explained(args: readonly string[] = [], variables = {}): Record<string, Explained> {
    const all = json<Explained[]>(['explain', ...args], variables);
    return Object.fromEntries(all.map((one) => [one.variable.slice('SOCKET_TUNE_'.length), one]));
  }

  it('tells every setting, its value and its source', () => {
    const variables = { SOCKET_TUNE_DRAIN: '20s', SOCKET_TUNE_RAW: '6:25:16384', SOCKET_TUNE_CORK: 'sometimes' };
    const { stdout } = cli(['explain', '--preset', 'lowlatency', '--json'], variables);
    const all: readonly Explained[] = JSON.parse(stdout);
    const settings = [...Object.values(SETTINGS), ...Object.values(ENVIRONMENT_SETTINGS)];
    for (const { variable } of settings) expect(all.map((one) => one.variable)).to.include(variable);
    const find = (name: string) => all.find(({ variable }) => variable === `SOCKET_TUNE_${name}`);
    expect(find('DRAIN')).to.include({ value: 20_000, text: '20000ms', source: 'SOCKET_TUNE_DRAIN' });
    expect(find('RAW')).to.include({ text: '6:25:16384@before-listen', source: 'SOCKET_TUNE_RAW' });
    expect(find('PRESET')).to.include({ value: 'lowlatency', source: '--preset' });
    expect(find('SENDFILE_MIN')).to.include({ text: '64k', source: 'default' });
    // It is set, and not understood.
    expect(find('CORK')).to.include({ text: 'auto', source: 'default' });
    const off = cli(['explain'], { SOCKET_TUNE: 'off' }).stdout;
    expect(off)
      .to.include('SOCKET_TUNE = off   SOCKET_TUNE')
      .and.match(/^SOCKET_TUNE=off: the preload does nothing/m);
  });

  it('tells what each kind of socket gets, and each port', () => {
    const { KEEPALIVE_IDLE, NODELAY, DEFER_ACCEPT, UDP_RCVBUF, USER_TIMEOUT } = explained([], {
      SOCKET_TUNE_PORT_8080_PRESET: 'highthroughput',
      SOCKET_TUNE_PORT_8080_KEEPALIVE_IDLE: '30s',
      SOCKET_TUNE_CONNECT_PORT_5432_DEAD_PEER: '5s',
    });
    const told = (one: Explained | undefined) =>
      one?.sockets?.map(({ sockets, text, source }) => `${sockets}: ${text}, ${source}`);
    expect(told(KEEPALIVE_IDLE)).to.deep.equal([
      'listeners: 60s, preset default',
      'accepted sockets: 60s, preset default',
      'port 8080: 30s, SOCKET_TUNE_PORT_8080_KEEPALIVE_IDLE',
      'outgoing sockets: 60s, preset default',
      'outgoing sockets to port 5432: 2s, follows from SOCKET_TUNE_CONNECT_PORT_5432_DEAD_PEER',
    ]);
    expect(told(NODELAY)?.at(-2)).to.equal('outgoing sockets: –, left alone: SOCKET_TUNE_CONNECT is guard');
    expect(told(DEFER_ACCEPT)).to.deep.equal(['listeners: –, left alone', 'port 8080: 5s, preset highthroughput']);
    expect(told(UDP_RCVBUF)).to.deep.equal(['UDP sockets: 2m, preset default']);
    expect(told(USER_TIMEOUT)?.[0]).to.equal('listeners: –, left alone');
  });

  it('says what follows from a time for dead peers, and what the app’s user has named himself', () => {
    const all = explained([], { SOCKET_TUNE_DEAD_PEER: '30s', SOCKET_TUNE_KEEPALIVE_COUNT: '9' });
    expect(all.KEEPALIVE_IDLE).to.include({ value: 15, source: 'follows from SOCKET_TUNE_DEAD_PEER' });
    expect(all.KEEPALIVE_COUNT).to.include({ value: 9, source: 'SOCKET_TUNE_KEEPALIVE_COUNT' });
    const never = explained([], { SOCKET_TUNE_DEAD_PEER: 'off' });
    expect(never.RTO_MAX).to.include({ source: 'follows from SOCKET_TUNE_DEAD_PEER' }).and.not.have.property('value');
  });

  it('leaves out what only other systems have, unless it was asked for', function () {
    if (process.platform !== 'linux') this.skip();
    expect(explained()).not.to.have.property('NOSIGPIPE');
    expect(explained(['--all'])).to.have.property('NOSIGPIPE');
    expect(explained([], { SOCKET_TUNE_NOSIGPIPE: 'on' }).NOSIGPIPE).to.include({ supported: false });
    expect(cli(['explain']).stdout).to.include('Not on this system: SOCKET_TUNE_NOSIGPIPE');
  });

  it('names the congestion controls that are available here', function () {
    if (process.platform !== 'linux') this.skip();
    const names = sysctlWords('ipv4/tcp_available_congestion_control') ?? [];
    expect(names).not.to.be.empty;
    expect(explained().CONGESTION?.doc).to.include(`available are ${names.join(', ')}`);
  });

  it('tells every option of the table, and where its value comes from', () => {
    const all = explained(['--all'], { SOCKET_TUNE_USER_TIMEOUT: '5s', SOCKET_TUNE_FASTOPEN: 'off' });
    expect(Object.keys(all).slice(0, OPTION_ROWS.length)).to.deep.equal(OPTION_ROWS.map((row) => row.variable));
    expect(all.USER_TIMEOUT).to.include({ value: 5000, source: 'SOCKET_TUNE_USER_TIMEOUT' });
    expect(all.FASTOPEN).to.include({ source: 'SOCKET_TUNE_FASTOPEN' }).and.not.have.property('value');
    expect(all.KEEPALIVE_IDLE).to.include({ value: 60, source: 'preset default', constant: 'TCP_KEEPIDLE' });
    expect(all.MARK).to.include({ source: 'left alone' }).and.not.have.property('value');
  });

  it('tells what a preset would be, over that of the environment', () => {
    const variables = { SOCKET_TUNE_PRESET: 'highthroughput' };
    expect(explained([], variables).SNDBUF).to.include({ value: 1 << 20, source: 'preset highthroughput' });
    const chosen = explained(['--preset', 'lowlatency'], variables);
    expect(chosen.SNDBUF).to.include({ value: 128 << 10, source: 'preset lowlatency' });
  });

  it('tells the options of one port, and of outgoing sockets, where there are such', () => {
    const variables = {
      SOCKET_TUNE_USER_TIMEOUT: '9s',
      SOCKET_TUNE_PORT_80_PRESET: 'lowlatency',
      SOCKET_TUNE_PORT_80_KEEPALIVE_COUNT: '9',
      SOCKET_TUNE_CONNECT: 'on',
      SOCKET_TUNE_CONNECT_NODELAY: 'off',
    };
    const port = explained(['--port', '80'], variables);
    expect(port.KEEPALIVE_COUNT).to.include({ value: 9, source: 'SOCKET_TUNE_PORT_80_KEEPALIVE_COUNT' });
    expect(port.KEEPALIVE_IDLE).to.include({ value: 30, source: 'preset lowlatency' });
    expect(port.USER_TIMEOUT).to.include({ value: 9000, source: 'SOCKET_TUNE_USER_TIMEOUT' });
    expect(port).not.to.have.property('UDP_RCVBUF');
    expect(explained(['--port', '81'], variables).KEEPALIVE_IDLE).to.include({ value: 60, source: 'preset default' });
    const outgoing = explained(['--connect'], variables);
    expect(outgoing.NODELAY).to.include({ value: false, source: 'SOCKET_TUNE_CONNECT_NODELAY' });
    expect(outgoing).to.have.property('FASTOPEN_CONNECT').and.not.have.property('FASTOPEN');
    const guarded = explained(['--connect'], {});
    expect(guarded.NODELAY).to.include({ source: 'left alone: SOCKET_TUNE_CONNECT is guard' });
    expect(guarded.DEAD_PEER).to.include({ value: 120, source: 'preset default' });
    expect(cli(['explain', '--port', '0']).status).to.equal(2);
    const database = explained(['--connect', '--port', '5432'], { SOCKET_TUNE_CONNECT_PORT_5432_DEAD_PEER: '5s' });
    expect(database.DEAD_PEER).to.include({ value: 5, source: 'SOCKET_TUNE_CONNECT_PORT_5432_DEAD_PEER' });
    expect(explained(['--connect', '--port', '5433']).DEAD_PEER).to.include({ value: 120 });
    expect(port).to.have.property('QUICKACK');
  });

  it('says what this system does not have, and links to documentation that is there', () => {
    const { NOSIGPIPE, TOS } = explained(['--all']);
    if (process.platform === 'linux') expect(NOSIGPIPE?.supported).to.equal(false);
    const { pathname, hash } = new URL(TOS?.link ?? '');
    expect(readFileSync(pathname, 'utf8')).to.include(`## ${hash.slice(1).toUpperCase()}\n`);
  });

  it('tells what becomes of what stands in front', () => {
    const { BEHIND } = explained([], { SOCKET_TUNE_BEHIND: 'gcp' });
    expect(BEHIND).to.include({ value: 'gcp', source: 'SOCKET_TUNE_BEHIND', supported: true });
    expect(BEHIND?.doc).to.include('Google').and.include('after 600 s').and.include('keepAliveTimeout 650 s');
    expect(BEHIND?.doc).to.include('headersTimeout 650 s').and.include('requestTimeout 650 s');
    const { pathname, hash } = new URL(BEHIND?.link ?? '');
    expect(readFileSync(pathname, 'utf8')).to.match(new RegExp(`^## .*\\b${hash.slice(1)}\\b`, 'im'));
    const unset = explained(['--port', '80']).BEHIND;
    expect(unset).to.include({ source: 'default', value: 'off' });
    expect(unset?.doc).to.include('after 5 s');
    expect(explained(['--connect'])).not.to.have.property('BEHIND');
    const { stdout } = cli(['explain'], { SOCKET_TUNE_BEHIND: '75s' });
    expect(stdout).to.include('SOCKET_TUNE_BEHIND = 75000ms ').and.include('requestTimeout 300 s');
  });

  it('writes values as they may be written into variables', () => {
    const { stdout } = cli(['explain'], {
      SOCKET_TUNE_RCVBUF: '96k',
      SOCKET_TUNE_CONGESTION: 'reno',
      SOCKET_TUNE_USER_TIMEOUT: '2min',
    });
    for (const shown of ['RCVBUF = 96k ', 'CONGESTION = reno ', 'KEEPALIVE_IDLE = 60s ', 'USER_TIMEOUT = 120000ms ']) {
      expect(stdout).to.include(`SOCKET_TUNE_${shown}`);
    }
  });
});

describe('socket-tune verify', () => {
  it('sets the configuration of its environment, and says what the kernel made of it', function () {
    if (process.platform !== 'linux') this.skip();
    const variables = {
      SOCKET_TUNE_PRESET: 'none',
      SOCKET_TUNE_DEFER_ACCEPT: '5s',
      SOCKET_TUNE_NODELAY: 'on',
      SOCKET_TUNE_PORT_8080_USER_TIMEOUT: '5s',
      SOCKET_TUNE_RAW: '6:25:16384',
    };
    const all = json<Verification[]>(['verify'], variables);
    const told = all.map(({ variable, sockets, outcome: { asked, kernel, verdict } }) =>
      [variable, sockets, asked, kernel, verdict].join(' '),
    );
    expect(told).to.deep.equal([
      'NODELAY listeners 1 1 applied',
      'DEFER_ACCEPT listeners 5 7 applied',
      'RAW listeners 16384 16384 applied',
      'NODELAY accepted sockets 1 1 inherited',
      'NODELAY port 8080, listener 1 1 applied',
      'DEFER_ACCEPT port 8080, listener 5 7 applied',
      'USER_TIMEOUT port 8080, listener 5000 5000 applied',
      'RAW port 8080, listener 16384 16384 applied',
      'NODELAY port 8080, accepted 1 1 inherited',
      'USER_TIMEOUT port 8080, accepted 5000 5000 inherited',
    ]);
    expect(all[1]?.outcome.note).to.equal('the kernel rounds it up to 7');
    const { stdout, status } = cli(['verify'], variables);
    expect(stdout).to.include('7 applied (2 of them kept as another number), ').and.include('3 inherited');
    expect(stdout).to.include('applied: the kernel rounds it up to 7\n');
    expect(status).to.equal(0);
  });

  it('ends with 1 where the kernel refuses a value, and names those that it takes', function () {
    if (process.platform !== 'linux') this.skip();
    const { stdout, status } = cli(['verify', '--preset', 'none'], { SOCKET_TUNE_CONGESTION: 'nonesuch' });
    const [first = ''] = sysctlWords('ipv4/tcp_available_congestion_control') ?? [];
    expect(stdout).to.match(new RegExp(`nonesuch .*refused: ENOENT; available are ${first}`));
    expect(status).to.equal(1);
  });

  it('has no row about other systems, unless it was asked for', function () {
    if (process.platform !== 'linux') this.skip();
    const variablesOf = (variables = {}) => json<Verification[]>(['verify'], variables).map(({ variable }) => variable);
    expect(variablesOf()).to.include('NODELAY').and.not.include('NOSIGPIPE');
    const asked = { SOCKET_TUNE_NOSIGPIPE: 'on' };
    expect(variablesOf(asked)).to.include('NOSIGPIPE');
    expect(cli(['verify'], asked).status).to.equal(1);
  });

  it('has a verdict for the sample of every option, on every kind of socket that it is for', function () {
    if (process.platform !== 'linux' || process.geteuid?.() !== 0) this.skip();
    const all = json<Verification[]>(['verify', '--samples']);
    const places = OPTION_ROWS.filter((row) => !row.watched).flatMap((row) =>
      row.targets.map((target) => `${row.variable} on ${target}`),
    );
    expect(all.map(({ variable, target }) => `${variable} on ${target}`)).to.deep.equal(places);
    const others = all.filter(({ outcome }) => !['applied', 'inert'].includes(outcome.verdict));
    expect(others.map(({ variable, outcome }) => [variable, outcome.verdict])).to.deep.equal([
      ['NOSIGPIPE', 'unsupported'],
      ['NOSIGPIPE', 'unsupported'],
    ]);
    for (const { variable, initial, outcome } of all) {
      // Sockets have ACKs at once when they begin, and the one for MPTCP is made as such.
      if (outcome.verdict === 'applied' && !['QUICKACK', 'MPTCP'].includes(variable))
        expect(outcome.kernel, variable).not.to.equal(initial);
    }
    expect(cli(['verify', '--samples']).stdout).to.include(
      `Samples of all options, ${places.length} on test sockets: `,
    );
  });

  it('says which options a machine without IPv6 cannot have', function () {
    if (process.platform !== 'linux' || process.geteuid?.() !== 0) this.skip();
    // A network namespace whose loopback has 127.0.0.1 alone.
    const without = 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && ip link set lo up && exec "$@"';
    const command = [process.execPath, CLI, 'verify', '--samples', '--json'];
    const { stdout, stderr, status } = spawnSync('unshare', ['-n', 'sh', '-c', without, 'sh', ...command], {
      encoding: 'utf8',
    });
    expect({ stderr, status }).to.deep.equal({ stderr: '', status: 0 });
    const unsupported = (JSON.parse(stdout) as Verification[]).filter(
      ({ outcome }) => outcome.verdict === 'unsupported',
    );
    expect(unsupported.map(({ variable }) => variable))
      .to.include('TCLASS')
      .and.not.include('TOS');
    const tclass = unsupported.find(({ variable }) => variable === 'TCLASS');
    expect(tclass?.outcome.cause).to.match(/^no IPv6: listen EADDRNOTAVAIL/);
  });
});

describe('socket-tune run', () => {
  const scratch = useScratch();

  it('runs an app with the preload, its options and its arguments, from anywhere', () => {
    const script = scratch.file('app.cjs', 'console.log(JSON.stringify([process.execArgv, process.argv.slice(2)]));');
    const { status, stdout } = spawnSync(
      process.execPath,
      [CLI, 'run', '--preset', 'none', '--no-warnings', script, '--preset', 'x', '-h'],
      { encoding: 'utf8', cwd: '/' },
    );
    expect(status).to.equal(0);
    const [options, args] = JSON.parse(stdout);
    expect(args).to.deep.equal(['--preset', 'x', '-h']);
    expect(options[0]).to.equal(preloadFlags('file:///register.js')[0]);
    expect(options[2]).to.equal('--no-warnings');
  });

  it('gives node the preload by --require, but where that warns of ES modules', () => {
    const quiet = ['20.19.0', '20.20.2', '22.13.0', '23.5.0', '24.0.0', '26.12.1'];
    const flags = (version: string): readonly string[] => preloadFlags('file:///a%20b/register.js', version);
    for (const version of quiet) expect(flags(version), version).to.deep.equal(['--require', '/a b/register.js']);
    for (const version of ['22.12.0', '23.0.0', '23.4.0']) {
      expect(flags(version), version).to.deep.equal(['--import', 'file:///a%20b/register.js']);
    }
  });

  it('prints nothing of its own', () => {
    const { stdout, stderr } = cli(['run', scratch.file('silent.cjs', "console.log('app')")]);
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'app\n', stderr: '' });
  });

  it('tunes it by the preset that is given', () => {
    const script = scratch.file(
      'server.cjs',
      "const server = require('net').createServer().listen(0, () => server.close());",
    );
    const { stderr } = cli(['run', '--preset', 'lowlatency', script], { SOCKET_TUNE_REPORT: 'exit' });
    expect(stderr).to.match(/TCP_RTO_MAX_MS: asked 3400, kernel 3400: applied/);
  });

  it('ends as the app ends', () => {
    expect(cli(['run', scratch.file('seven.cjs', 'process.exitCode = 7')]).status).to.equal(7);
    const script = scratch.file('killed.cjs', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)");
    const { signal } = spawnSync(process.execPath, [CLI, 'run', script]);
    expect(signal).to.equal('SIGKILL');
  });

  it('hands signals on, which the app may handle in its own way', async () => {
    const script = scratch.file(
      'signals.cjs',
      "process.on('SIGTERM', () => { console.log('told'); process.exit(3); }); setInterval(() => {}, 1000); console.log('up');",
    );
    const child = spawn(process.execPath, [CLI, 'run', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') child.kill('SIGTERM');
      output += text;
    });
    const [stderr, [code]] = await Promise.all([streamText(child.stderr), once(child, 'close')]);
    expect([output, stderr, code]).to.deep.equal(['up\ntold\n', '', 3]);
  });
});
