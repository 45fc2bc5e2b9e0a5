import { expect } from 'chai';
import type { OptionOutcome } from '../../src/options/outcome.js';
import type { Report } from '../../src/report/report.js';
import { isRerouted } from '../support/files/travel.js';
import { fileApp, fileAppOutput } from '../support/processes/file-app.js';
import { BY_IMPORT, BY_REQUIRE, runApp, runNode } from '../support/processes/node-process.js';

/** Run an http server that sends a file once, under these variables. It must work, whatever they are. */
async function run(
  variables: Readonly<Record<string, string>>,
): Promise<{ report: Report | undefined; stderr: string }> {
  const env = Object.fromEntries(Object.entries(variables).map(([name, value]) => [`SOCKET_TUNE${name}`, value]));
  const { report, stderr, ...process } = await runApp('mjs', fileApp(), { env });
  expect(process).to.deep.equal({ code: 0, signal: null, stdout: fileAppOutput() });
  return { report, stderr };
}

type Setting = readonly [constant: string, asked: number | undefined, verdict?: string];

/** What the report says of options on the one listener. */
function settings(
  report: Report | undefined,
): Record<string, { asked: number | string; kernel: OptionOutcome['kernel'] }> {
  const outcomes = report?.listeners[0]?.outcomes ?? [];
  return Object.fromEntries(outcomes.map(({ constant, asked, kernel }) => [constant, { asked, kernel }]));
}

function accepted(report: Report | undefined): Record<string, string> {
  return Object.fromEntries(report?.listeners[0]?.accepted.map(({ constant, verdict }) => [constant, verdict]) ?? []);
}

function expectSettings(report: Report | undefined, wanted: readonly Setting[]): void {
  const found = settings(report);
  for (const [constant, asked] of wanted) expect(found[constant]?.asked, constant).to.equal(asked);
}

const PRESETS: Readonly<Record<string, readonly Setting[]>> = {
  default: [
    ['TCP_NODELAY', 1],
    ['SO_KEEPALIVE', 1],
    ['TCP_KEEPIDLE', 60],
    ['TCP_KEEPINTVL', 10],
    ['TCP_KEEPCNT', 6],
    ['TCP_DEFER_ACCEPT', undefined],
    ['TCP_FASTOPEN', 256],
    ['TCP_USER_TIMEOUT', undefined],
    ['SO_RCVBUF', 256 << 10],
    ['SO_SNDBUF', 256 << 10],
  ],
  lowlatency: [
    ['TCP_NODELAY', 1],
    ['TCP_KEEPIDLE', 30],
    ['TCP_KEEPINTVL', 5],
    ['TCP_KEEPCNT', 3],
    ['TCP_DEFER_ACCEPT', undefined],
    ['TCP_FASTOPEN', 256],
    ['TCP_USER_TIMEOUT', undefined],
    ['SO_SNDBUF', 128 << 10],
  ],
  highthroughput: [
    ['TCP_NODELAY', 1],
    ['TCP_KEEPIDLE', 60],
    ['TCP_DEFER_ACCEPT', 5],
    ['TCP_USER_TIMEOUT', undefined],
    ['SO_RCVBUF', 1 << 20],
    ['SO_SNDBUF', 1 << 20],
  ],
  none: [
    ['TCP_NODELAY', undefined],
    ['SO_KEEPALIVE', undefined],
    ['TCP_FASTOPEN', undefined],
    ['SO_SNDBUF', undefined],
  ],
};

/** Only the lines of our warnings; Node adds a hint of its own, once. */
function warnings(stderr: string): string[] {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const ours = lines.filter((line) => line.includes('SocketTuneWarning'));
  const others = lines.filter((line) => !line.includes('SocketTuneWarning') && !line.includes('--trace-warnings'));
  expect(others, 'other lines').to.deep.equal([]);
  return ours;
}

describe('the environment of an app under the preload', () => {
  for (const [preset, wanted] of Object.entries(PRESETS)) {
    it(`asks for the values of the preset ${preset}, and nothing is printed`, async () => {
      const { report, stderr } = await run({ _PRESET: preset });
      expect(stderr).to.equal('');
      expectSettings(report, wanted);
      expect(report?.connections).to.equal(1);
    });
  }

  it('that is empty means the preset default', async () => {
    const [unset, byName] = await Promise.all([run({}), run({ _PRESET: 'default' })]);
    expect(settings(unset.report)).to.deep.equal(settings(byName.report));
  });

  it('may write a preset as it likes', async () => {
    const { report, stderr } = await run({ _PRESET: 'Low-Latency' });
    expect(stderr).to.equal('');
    expectSettings(report, PRESETS.lowlatency ?? []);
  });

  it('overrides single values of a preset', async () => {
    const { report, stderr } = await run({
      _PRESET: 'lowlatency',
      _KEEPALIVE_IDLE: '2min',
      _KEEPALIVE_COUNT: 'off',
      _DEFER_ACCEPT: '10',
      _USER_TIMEOUT: '45s',
      _NODELAY: 'off',
    });
    expect(stderr).to.equal('');
    const found = settings(report);
    expect(found.TCP_KEEPIDLE).to.deep.equal({ asked: 120, kernel: 120 });
    expect(found.TCP_KEEPINTVL).to.deep.equal({ asked: 5, kernel: 5 });
    expect(found.TCP_KEEPCNT).to.equal(undefined);
    expect(found.TCP_DEFER_ACCEPT).to.include({ asked: 10 });
    expect(found.TCP_USER_TIMEOUT).to.deep.equal({ asked: 45_000, kernel: 45_000 });
    expect(found.TCP_NODELAY).to.deep.equal({ asked: 0, kernel: 0 });
  });

  it('sets single values on top of the preset none', async () => {
    const { report, stderr } = await run({ _PRESET: 'none', _KEEPALIVE: 'on', _KEEPALIVE_IDLE: '33' });
    expect(stderr).to.equal('');
    expect(settings(report)).to.deep.equal({
      SO_KEEPALIVE: { asked: 1, kernel: 1 },
      TCP_KEEPIDLE: { asked: 33, kernel: 33 },
    });
    expect(accepted(report)).to.deep.equal({ SO_KEEPALIVE: 'inherited', TCP_KEEPIDLE: 'inherited' });
  });

  it('sets buffer sizes where exact ones are asked for, and the kernel doubles them', async () => {
    const { report, stderr } = await run({ _BUFFER_MODE: 'exact', _SNDBUF: '64k', _RCVBUF: '48k' });
    expect(stderr).to.equal('');
    expect(settings(report)).to.deep.include({
      SO_SNDBUF: { asked: 64 << 10, kernel: 128 << 10 },
      SO_RCVBUF: { asked: 48 << 10, kernel: 96 << 10 },
    });
    expect(accepted(report)).to.include({ SO_SNDBUF: 'inherited', SO_RCVBUF: 'inherited' });
  });

  for (const off of ['off', '0', 'false', 'no', 'OFF']) {
    it(`SOCKET_TUNE=${off} does nothing at all: there is not even a report`, async () => {
      expect(await run({ '': off, _STRICT: 'on', _NODELAY: 'nonsense' })).to.deep.equal({
        report: undefined,
        stderr: '',
      });
    });
  }

  it('SOCKET_TUNE_SENDFILE=off leaves files alone and tunes sockets', async () => {
    const [on, off] = await Promise.all([run({}), run({ _SENDFILE: 'off' })]);
    expect(isRerouted(on.report?.files)).to.equal(true);
    expect(off.report?.files).to.include({ reroutedStreams: 0, sendfileBytes: 0 });
    expect(settings(off.report)).to.deep.equal(settings(on.report));
  });

  it('SOCKET_TUNE_SENDFILE_MIN decides from what size on files go by sendfile', async () => {
    const [large, small] = await Promise.all([run({}), run({ _SENDFILE_MIN: '200k' })]);
    expect(large.report?.files.copiedBytes).not.to.have.property('small-file');
    expect(small.report?.files).to.deep.include({ reroutedStreams: 1, sendfileBytes: 0 });
    expect(small.report?.files.copiedBytes).to.have.all.keys('small-file');
  });

  it('SOCKET_TUNE_REPORT=exit prints the report for people to the standard error', async () => {
    const { report, stderr } = await run({ _REPORT: 'exit' });
    expect(report).to.equal(undefined);
    expect(stderr).to.match(/^socket-tune report of process \d+\nlistener 127\.0\.0\.1:\d+, 1 connections\n/);
    expect(stderr).to.include('\n  TCP_KEEPIDLE: asked 60, kernel 60: applied\n');
    expect(stderr).to.match(/\nfiles: \d streams rerouted, \d+ bytes by sendfile\n/);
  });
});

interface BadValue {
  readonly variable: string;
  readonly value: string;
  readonly expected: RegExp;
  readonly used: string;
}

const BAD_VALUES: readonly BadValue[] = [
  { variable: 'SOCKET_TUNE_NODELAY', value: 'perhaps', expected: /expected on or off/, used: 'on' },
  { variable: 'SOCKET_TUNE_PRESET', value: 'fast', expected: /default, lowlatency, highthroughput/, used: 'default' },
  { variable: 'SOCKET_TUNE_KEEPALIVE_IDLE', value: '-1', expected: /seconds from 1 to 32767/, used: '60s' },
  { variable: 'SOCKET_TUNE_KEEPALIVE_COUNT', value: '128', expected: /whole number from 1 to 127/, used: '6' },
  { variable: 'SOCKET_TUNE_SNDBUF', value: '12 apples', expected: /a size from/, used: '256k' },
  { variable: 'SOCKET_TUNE_QUICKACK', value: 'maybe', expected: /on, once, off/, used: 'on' },
  { variable: 'SOCKET_TUNE_SENDFILE', value: '2', expected: /on or off/, used: 'on' },
  { variable: 'SOCKET_TUNE_NODELY', value: 'on', expected: /a variable that socket-tune knows/, used: 'nothing' },
  { variable: 'SOCKET_TUNE', value: 'sometimes', expected: /on or off/, used: 'on' },
];

describe('a value that is not understood', () => {
  for (const { variable, value, expected, used } of BAD_VALUES) {
    it(`of ${variable} is warned of once, with what was expected and what is used, and the app runs`, async () => {
      const { report, stderr } = await run({ [variable.replace('SOCKET_TUNE', '')]: value });
      const [warning, ...rest] = warnings(stderr);
      expect(rest).to.deep.equal([]);
      expect(warning).to.match(/^\(node:\d+\) \[SOCKET_TUNE_BAD_VALUE\] SocketTuneWarning: /);
      expect(warning).to.include(`${variable}='${value}'`);
      expect(warning).to.match(expected);
      expect(warning).to.include(`using ${used} instead`);
      expectSettings(report, PRESETS.default ?? []);
    });
  }

  it('is warned of once a variable', async () => {
    const { stderr } = await run({ _NODELAY: 'perhaps', _FASTOPEN: 'none', _KEEPALIVE: 'maybe' });
    expect(warnings(stderr)).to.have.length(3);
  });

  it('is warned of once, however often the preload is loaded, and whatever threads and processes there are', async () => {
    const source = `
import { Worker, isMainThread } from 'node:worker_threads';
if (isMainThread) new Worker(new URL(import.meta.url)).on('exit', () => console.log('done'));`;
    const preload = [...BY_REQUIRE, ...BY_IMPORT];
    const { stdout, stderr } = await runApp('mjs', source, { preload, env: { SOCKET_TUNE_NODELAY: 'perhaps' } });
    expect(stdout).to.equal('done\n');
    expect(warnings(stderr)).to.have.length(1);
  });

  it('is silent under --no-warnings', async () => {
    const preload = ['--no-warnings', ...BY_IMPORT];
    const { stderr, code } = await runApp('mjs', fileApp(), { preload, env: { SOCKET_TUNE_NODELAY: 'perhaps' } });
    expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
  });

  it('ends the process before the app under SOCKET_TUNE_STRICT, with the message and exit code 9', async () => {
    const env = { SOCKET_TUNE_STRICT: '1', SOCKET_TUNE_NODELAY: 'perhaps', SOCKET_TUNE_PRESET: 'fast' };
    const { code, stdout, stderr } = await runApp('mjs', `console.log('the app runs');`, { env });
    expect({ code, stdout }).to.deep.equal({ code: 9, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).to.have.length(2);
    expect(lines.join('\n')).to.include("socket-tune: SOCKET_TUNE_NODELAY='perhaps': expected on or off");
    expect(lines.join('\n')).to.include("socket-tune: SOCKET_TUNE_PRESET='fast'");
  });

  it('ends nothing under SOCKET_TUNE_STRICT where every value is understood', async () => {
    const { stderr } = await run({ _STRICT: '1', _PRESET: 'none' });
    expect(stderr).to.equal('');
  });

  it('with an empty text is as good as unset', async () => {
    const { code, stderr } = await runNode([...BY_IMPORT, '-e', '0'], {
      env: { SOCKET_TUNE_NODELAY: '', SOCKET_TUNE_STRICT: '1', SOCKET_TUNE_REPORT: '' },
    });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  });
});
