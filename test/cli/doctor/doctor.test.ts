import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { satisfies } from 'semver';
import { CHECKS } from '../../../src/cli/doctor/checks.js';
import type { Diagnosis } from '../../../src/cli/doctor/doctor.js';
import { diagnose } from '../../../src/cli/doctor/doctor.js';
import { machine } from '../../../src/cli/doctor/machine.js';
import { configFromEnvironment } from '../../../src/config/config.js';
import { platform } from '../../../src/native/index.js';
import { useScratch } from '../../support/files/scratch.js';
import { skip } from '../../support/test-run/skipped.js';

const CLI = fileURLToPath(new URL('../../../../dist/cli.js', import.meta.url));

function environment(variables: Readonly<Record<string, string>>) {
  return configFromEnvironment(
    new Map(Object.entries(variables).map(([name, value]) => [`SOCKET_TUNE_${name}`, value])),
  );
}

/** The machine of a healthy server, as /proc tells it. */
const HEALTHY: Readonly<Record<string, string>> = {
  'sys/kernel/osrelease': '6.18.1-generic',
  'sys/net/ipv4/tcp_fastopen': '3',
  'sys/net/ipv4/tcp_fastopen_key': '0a1b2c3d-00000000-00000000-00000001',
  'sys/net/core/rmem_max': '8388608',
  'sys/net/core/wmem_max': '8388608',
  'sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456',
  'sys/net/ipv4/tcp_wmem': '4096\t16384\t4194304',
  'sys/net/ipv4/tcp_moderate_rcvbuf': '1',
  'sys/net/core/somaxconn': '4096',
  'sys/net/ipv4/tcp_max_syn_backlog': '4096',
  'sys/net/ipv4/tcp_available_congestion_control': 'reno cubic',
  'sys/net/ipv4/tcp_allowed_congestion_control': 'reno cubic',
  'sys/net/ipv4/tcp_notsent_lowat': '4294967295',
  'sys/net/ipv4/tcp_migrate_req': '0',
  'net/netstat': 'TcpExt: A ListenOverflows ListenDrops\nTcpExt: 9 0 0\nIpExt: B\nIpExt: 1',
  'self/limits':
    'Limit Soft Limit Hard Limit Units\nMax open files            65536                1048576              files',
};

describe('what doctor finds', () => {
  const scratch = useScratch();

  function diagnosis(
    name: string,
    facts: Readonly<Record<string, string>> = {},
    variables: Readonly<Record<string, string>> = {},
  ): Diagnosis {
    const root = scratch.path(`root-${Math.random()}`);
    for (const [path, text] of Object.entries({ ...HEALTHY, ...facts })) {
      const file = join(root, 'proc', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${text}\n`);
    }
    const where = { machine: machine(root), variable: () => undefined };
    const found = diagnose(environment(variables), where).find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no check of ${name}`);
    return found;
  }

  it('is nothing on a healthy machine', () => {
    for (const { name } of CHECKS) expect(diagnosis(name), name).to.include({ verdict: 'ok' });
  });

  it('is missing where it was asked for by name, and advice where a preset would like it', () => {
    const off = { 'sys/net/ipv4/tcp_fastopen': '1' };
    const mend = 'sysctl -w net.ipv4.tcp_fastopen=3';
    expect(diagnosis('net.ipv4.tcp_fastopen', off)).to.include({ verdict: 'advice', mend });
    expect(diagnosis('net.ipv4.tcp_fastopen', off, { FASTOPEN: '64' })).to.include({ verdict: 'missing', mend });
    expect(diagnosis('net.ipv4.tcp_fastopen', off, { FASTOPEN: 'off' })).to.include({ verdict: 'ok' });
    expect(diagnosis('net.ipv4.tcp_fastopen', off, { PRESET: 'none', PORT_80_FASTOPEN: '9' }).verdict).to.equal(
      'missing',
    );
  });

  it('counts the client’s bit of FASTOPEN where outgoing sockets want it', () => {
    const facts = { 'sys/net/ipv4/tcp_fastopen': '2' };
    expect(diagnosis('net.ipv4.tcp_fastopen', facts)).to.include({ verdict: 'ok' });
    const variables = { CONNECT: 'on', CONNECT_FASTOPEN_CONNECT: 'on' };
    expect(diagnosis('net.ipv4.tcp_fastopen', facts, variables)).to.include({
      verdict: 'missing',
      mend: 'sysctl -w net.ipv4.tcp_fastopen=3',
    });
  });

  it('is a limit that cuts a buffer, which a floor below the kernel’s own ceiling does not meet', () => {
    const small = { 'sys/net/core/rmem_max': '212992' };
    expect(diagnosis('net.core.rmem_max', small, { PRESET: 'none', RCVBUF: '256k' })).to.include({ verdict: 'ok' });
    const exact = { PRESET: 'none', RCVBUF: '256k', BUFFER_MODE: 'exact' };
    expect(diagnosis('net.core.rmem_max', small, exact)).to.include({
      verdict: 'missing',
      mend: 'sysctl -w net.core.rmem_max=262144',
    });
    expect(diagnosis('net.core.rmem_max', small)).to.include({
      verdict: 'advice',
      mend: 'sysctl -w net.core.rmem_max=2097152',
    });
    expect(diagnosis('net.core.wmem_max', { 'sys/net/core/wmem_max': '1' }, { UDP_SNDBUF: '1m' }).verdict).to.equal(
      'missing',
    );
  });

  it('quotes what has spaces', () => {
    expect(diagnosis('net.ipv4.tcp_rmem', { 'sys/net/ipv4/tcp_rmem': '4096 131072 262144' })).to.include({
      verdict: 'advice',
      mend: "sysctl -w 'net.ipv4.tcp_rmem=4096 131072 4194304'",
    });
  });

  it('is a backlog that is cut, a queue that overflowed, a limit of files, an old kernel', () => {
    expect(diagnosis('net.core.somaxconn', { 'sys/net/core/somaxconn': '128' }, { BACKLOG: '512' })).to.include({
      verdict: 'missing',
      mend: 'sysctl -w net.core.somaxconn=512',
    });
    const netstat = 'TcpExt: ListenDrops ListenOverflows\nTcpExt: 7 5';
    expect(diagnosis('accept queues', { 'net/netstat': netstat })).to.include({
      verdict: 'advice',
      value: '5 overflows, 7 drops since the network namespace began',
    });
    const limits = 'Max open files            1024                 524288               files';
    expect(diagnosis('open files', { 'self/limits': limits })).to.include({
      verdict: 'advice',
      mend: 'ulimit -n 524288',
    });
    const kernel = { 'sys/kernel/osrelease': '6.1.0-30-amd64' };
    expect(diagnosis('kernel', kernel)).to.include({ verdict: 'ok' });
    expect(diagnosis('kernel', kernel, { DELACK_MAX: '8ms' })).to.include({
      verdict: 'missing',
      value: '6.1.0-30-amd64: DELACK_MAX needs 6.15',
    });
    expect(diagnosis('kernel', { 'sys/kernel/osrelease': '5.4.0' })).to.include({ verdict: 'advice' });
  });

  it('is a Node that package.json does not allow', () => {
    const { engines }: { engines: { node: string } } = createRequire(import.meta.url)('../../../../package.json');
    const rest = { variable: () => undefined, manifest: undefined };
    const circumstances = { machine: machine(), environment: environment({}), platform: platform(), ...rest };
    const isOk = (node: string): boolean =>
      CHECKS.find(({ name }) => name === 'Node')?.look({ ...circumstances, node }).verdict === 'ok';
    const versions = [
      '18.20.0',
      '20.18.3',
      '20.19.0',
      '20.20.2',
      '21.7.3',
      '22.11.0',
      '22.12.0',
      '23.0.0',
      '24.1.0',
      '26.0.0',
    ];
    expect(versions.map(isOk)).to.deep.equal(versions.map((version) => satisfies(version, engines.node)));
    expect(versions.filter(isOk)).to.deep.equal(['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.1.0', '26.0.0']);
  });

  it('is a congestion control that is not loaded: it names those that are, and the module if there is one', () => {
    const missing = diagnosis('congestion control', {}, { CONGESTION: 'bbr' });
    expect(missing).to.include({ verdict: 'missing', mend: 'modprobe tcp_bbr' });
    expect(missing.value).to.equal('bbr is not available; available are reno, cubic');
    const modules = { '../lib/modules/6.18.1-generic/modules.dep': 'kernel/net/ipv4/tcp_vegas.ko.xz:' };
    expect(diagnosis('congestion control', modules, { CONGESTION: 'vegas' }).mend).to.equal('modprobe tcp_vegas');
    const none = diagnosis('congestion control', modules, { CONGESTION: 'bbr' });
    expect(none).to.include({ mend: 'SOCKET_TUNE_CONGESTION=reno' });
    expect(none.value).to.match(/this kernel has no module for it$/);
    expect(diagnosis('congestion control', {}, { CONGESTION: 'cubic' })).to.include({ verdict: 'ok' });
  });

  it('is a keepalive that load balancers do not wait for', () => {
    expect(diagnosis('keepalive idle', {}, { KEEPALIVE_IDLE: '5min' })).to.include({
      verdict: 'advice',
      value: '300 s; forgotten by Azure after 240 s',
    });
    expect(diagnosis('keepalive idle', {}, { KEEPALIVE_IDLE: '350s' }).value).to.equal(
      '350 s; forgotten by Azure after 240 s, AWS’s NLB and NAT gateway after 350 s',
    );
    expect(diagnosis('keepalive idle', {}, { KEEPALIVE: 'off' })).to.include({ verdict: 'advice' });
  });

  it('is not known where there is no /proc, which is no failure', () => {
    const found = diagnose(environment({}), { machine: machine(scratch.path('nowhere')) });
    expect(found.filter(({ verdict }) => verdict === 'unknown').length).to.be.greaterThan(10);
    expect(found.filter(({ verdict }) => verdict === 'missing')).to.deep.equal([]);
  });
});

describe('socket-tune doctor', () => {
  const scratch = useScratch();

  /** In a network namespace of its own, whose sysctls are nobody else's. */
  function doctorIn(script: string, variables: Readonly<Record<string, string>> = {}) {
    const env = { PATH: process.env.PATH, ...variables };
    const command = script.replaceAll('DOCTOR', `'${process.execPath}' '${CLI}' doctor`);
    return spawnSync('unshare', ['-n', 'bash', '--norc', '-c', command], { encoding: 'utf8', env });
  }

  before(function () {
    if (spawnSync('unshare', ['-n', 'true']).status === 0) return;
    skip(this, 'it takes network namespaces');
  });

  it('ends with 1 where something is missing, and its own command mends that', () => {
    const variables = { SOCKET_TUNE_FASTOPEN: '64', SOCKET_TUNE_BACKLOG: '600' };
    const prepare = 'sysctl -qw net.ipv4.tcp_fastopen=1 net.core.somaxconn=100';
    const ill = doctorIn(`${prepare}; DOCTOR --json`, variables);
    expect(ill.status).to.equal(1);
    const { ready, checks } = JSON.parse(ill.stdout);
    const mends = checks.filter(({ verdict }: Diagnosis) => verdict === 'missing').map(({ mend }: Diagnosis) => mend);
    expect(ready).to.equal(false);
    expect(mends).to.deep.equal(['sysctl -w net.ipv4.tcp_fastopen=3', 'sysctl -w net.core.somaxconn=600']);
    const mended = doctorIn(`${prepare}; ${mends.join(' && ')} >/dev/null; DOCTOR`, variables);
    expect(mended.stdout).to.include('✓ net.ipv4.tcp_fastopen: 3').and.include('✓ net.core.somaxconn: 600');
    expect(mended.status).to.equal(0);
  });

  it('ends with a line that agrees with its marks', () => {
    const marks = ['✓', '!', '✗', '?'];
    for (const variables of [{}, { SOCKET_TUNE_CONGESTION: 'nonesuch' }, { SOCKET_TUNE_TOSS: '1' }]) {
      const { stdout, stderr } = doctorIn('sysctl -qw net.ipv4.tcp_fastopen=1; DOCTOR', variables);
      const lines = stdout.trimEnd().split('\n');
      const last = lines.at(-1) ?? '';
      for (const mark of marks) {
        const amount = lines.filter((line) => line.startsWith(`${mark} `)).length;
        const said = new RegExp(`(\\d+) (?:of \\d+ )?[a-z ]+\\(\\${mark}\\)`).exec(last)?.[1] ?? '0';
        expect(Number(said), `${mark} in ${last}`).to.equal(amount);
      }
      const isReady = !lines.some((line) => line.startsWith('✗ '));
      expect(last).to.match(isReady ? /^Ready: / : /^Not ready: /);
      expect(last).to.include('net.ipv4.tcp_fastopen');
      expect(stderr).to.equal('');
    }
  });

  it('counts a variable that is not understood as missing', () => {
    const { stdout, status } = doctorIn('DOCTOR', { SOCKET_TUNE_TOSS: 'ef' });
    expect(stdout).to.match(/^✗ variables: SOCKET_TUNE_TOSS='ef': expected .*SOCKET_TUNE_TOS;/m);
    expect(status).to.equal(1);
  });

  it('reads the manifest that it is given', () => {
    const pod = scratch.file('pod.yaml', 'spec:\n  terminationGracePeriodSeconds: 60\n');
    const { stdout } = doctorIn(`DOCTOR --manifest '${pod}' --json`);
    const { checks } = JSON.parse(stdout);
    expect(checks.find(({ name }: Diagnosis) => name === 'shutdown')).to.include({ verdict: 'advice' });
    const unread = doctorIn(`DOCTOR --manifest '${pod}.nowhere'`);
    expect({ ...unread, stderr: unread.stderr.trim() }).to.include({ status: 1, stdout: '' });
    expect(unread.stderr).to.include('pod.yaml.nowhere cannot be read');
  });

  it('hints at what stands in front', () => {
    const { stdout } = doctorIn('DOCTOR', { ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/1' });
    expect(stdout).to.match(/! proxy in front: .*ECS.*60 s\n.*\n +SOCKET_TUNE_BEHIND=alb\n/);
    const tuned = doctorIn('DOCTOR', { AWS_REGION: 'eu-west-1', SOCKET_TUNE_BEHIND: 'alb' });
    expect(tuned.stdout).to.include(
      '✓ proxy in front: the proxy closes idle connections after 60 s, servers after 65 s',
    );
  });

  it('tells why something matters, and how to keep what mends it', () => {
    const { stdout, status } = doctorIn('sysctl -qw net.ipv4.tcp_fastopen=1; DOCTOR');
    expect(status).to.equal(0);
    expect(stdout).to.include('! net.ipv4.tcp_fastopen: 1\n    Without its bit, FASTOPEN is set but has no effect');
    expect(stdout).to.include('    net.ipv4.tcp_fastopen = 3\n');
  });
});
