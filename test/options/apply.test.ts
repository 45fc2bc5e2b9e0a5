import type { Server } from 'node:net';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { validateConfig } from '../../src/config/validate.js';
import type { Platform } from '../../src/native/platform.js';
import { sysctlWords } from '../../src/native/sysctl.js';
import { applyAndConfirm, applyPlan, applyStep, confirm, readOption } from '../../src/options/apply.js';
import { type Plan, planOptions, type SocketKind } from '../../src/options/plan.js';
import type { OptionValues } from '../../src/options/table.js';
import { fakeLibc, fakePlatform } from '../support/fake-platform.js';
import { kernelValue, linux, sysctl } from '../support/sockets/kernel-value.js';
import { connection, handleOf, listenHandleOf, listening, type SocketPair } from '../support/sockets/socket-pair.js';

const ACCEPTED: SocketKind = { target: 'accepted', family: 'tcp', clientSpeaksFirst: false, exactBuffers: false };
const LISTENER: SocketKind = { ...ACCEPTED, target: 'listener' };

function keys(plan: Plan): string[] {
  return plan.steps.map((step) => step.row.key);
}

function only(plan: Plan): Plan['steps'][number] {
  expect(plan.steps).to.have.length(1);
  return plan.steps[0]!;
}

describe('a plan', () => {
  it('has a step for each value, in the order of the table and not of the config', () => {
    const values: OptionValues = { userTimeout: 1000, keepAlive: true, noDelay: false };
    const { steps, skipped } = planOptions(fakePlatform(), values, ACCEPTED);
    expect(steps.map(({ row, asked, value }) => [row.key, asked, [...value]])).to.deep.equal([
      ['noDelay', 0, [0]],
      ['keepAlive', 1, [1]],
      ['userTimeout', 1000, [1000]],
    ]);
    expect(skipped).to.deep.equal([]);
  });

  it('has no step for a value that is absent, undefined or off', () => {
    const values = validateConfig({ quickAck: 'off', noDelay: undefined });
    expect(planOptions(fakePlatform(), values, ACCEPTED)).to.deep.equal({ steps: [], skipped: [], applied: [] });
  });

  it('sets on listeners the options of listeners, and on accepted sockets those of accepted sockets', () => {
    const values: OptionValues = { noDelay: true, quickAck: 'on', fastOpen: 9, deferAccept: 3 };
    const whose = (kind: SocketKind): string[] =>
      keys(planOptions(fakePlatform(), values, { ...kind, clientSpeaksFirst: true }));
    expect(whose(LISTENER)).to.deep.equal(['noDelay', 'deferAccept', 'fastOpen']);
    expect(whose(ACCEPTED)).to.deep.equal(['noDelay', 'quickAck']);
  });

  it('sets the keepalive times only where keepalive is on', () => {
    const times: OptionValues = { keepAliveIdle: 9, keepAliveInterval: 8, keepAliveCount: 7 };
    expect(keys(planOptions(fakePlatform(), { keepAlive: true, ...times }, ACCEPTED))).to.deep.equal([
      'keepAlive',
      'keepAliveIdle',
      'keepAliveInterval',
      'keepAliveCount',
    ]);
    expect(keys(planOptions(fakePlatform(), { keepAlive: false, ...times }, ACCEPTED))).to.deep.equal(['keepAlive']);
    expect(keys(planOptions(fakePlatform(), times, ACCEPTED))).to.deep.equal([]);
  });

  it('defers accepting only where the client sends first, and gives the reason elsewhere', () => {
    const values: OptionValues = { deferAccept: 5 };
    expect(keys(planOptions(fakePlatform(), values, { ...LISTENER, clientSpeaksFirst: true }))).to.deep.equal([
      'deferAccept',
    ]);
    const { steps, skipped } = planOptions(fakePlatform(), values, LISTENER);
    expect(steps).to.deep.equal([]);
    expect(skipped).to.have.length(1);
    expect(skipped[0]).to.include({ option: 'deferAccept', asked: 5, verdict: 'unneeded' });
    expect(skipped[0]?.cause).to.match(/server may speak first/);
  });

  it('sets no TCP options on Unix sockets', () => {
    const values: OptionValues = { noDelay: true, keepAlive: true, keepAliveIdle: 9, noSigPipe: true };
    const { steps, skipped } = planOptions(fakePlatform(), values, { ...ACCEPTED, family: 'unix' });
    expect(steps.map((step) => step.row.key)).to.deep.equal(['noSigPipe']);
    expect(skipped.map(({ option, verdict, cause }) => [option, verdict, cause])).to.deep.equal([
      ['noDelay', 'unneeded', 'not for unix sockets'],
      ['keepAlive', 'unneeded', 'not for unix sockets'],
      ['keepAliveIdle', 'unneeded', 'not for unix sockets'],
    ]);
  });

  it('has an option as unsupported if the platform lacks its constant, and names the constant', () => {
    const constants = { TCP_NODELAY: { level: 6, name: 1 } };
    const values: OptionValues = { noDelay: true, userTimeout: 9 };
    const plan = planOptions(fakePlatform({ constants }), values, ACCEPTED);
    expect(keys(plan)).to.deep.equal(['noDelay']);
    expect(plan.skipped).to.deep.equal([
      {
        option: 'userTimeout',
        constant: 'TCP_USER_TIMEOUT',
        asked: 9,
        verdict: 'unsupported',
        cause: 'fake has no TCP_USER_TIMEOUT',
      },
    ]);
    const unavailable = planOptions(fakePlatform({ constants, unavailable: 'no koffi' }), values, ACCEPTED);
    expect(unavailable.skipped[0]).to.include({ verdict: 'unsupported', cause: 'no koffi' });
  });

  it('sets on accepted sockets what the listeners of the platform do not have', () => {
    const constants: Platform['constants'] = { SO_KEEPALIVE: { level: 1, name: 9, acceptedOnly: true } };
    const values: OptionValues = { keepAlive: true };
    expect(planOptions(fakePlatform({ constants }), values, LISTENER)).to.deep.include({ steps: [], skipped: [] });
    expect(keys(planOptions(fakePlatform({ constants }), values, ACCEPTED))).to.deep.equal(['keepAlive']);
  });

  describe('of buffers', () => {
    const values: OptionValues = { receiveBuffer: 1000, sendBuffer: 2000 };
    const ceilings = { receive: 1000, send: 1999 };
    const platform = fakePlatform({ autotuningCeiling: (direction) => ceilings[direction] });

    it('sets a size only if it is above the ceiling of the kernel’s autotuning', () => {
      const plan = planOptions(platform, values, ACCEPTED);
      expect(keys(plan)).to.deep.equal(['sendBuffer']);
      expect(plan.skipped).to.deep.equal([
        {
          option: 'receiveBuffer',
          constant: 'SO_RCVBUF',
          asked: 1000,
          verdict: 'unneeded',
          cause: 'the kernel grows it to 1000 by itself',
        },
      ]);
    });

    it('sets every size in exact mode', () => {
      const plan = planOptions(platform, values, { ...ACCEPTED, exactBuffers: true });
      expect(keys(plan)).to.deep.equal(['receiveBuffer', 'sendBuffer']);
    });

    it('sets every size if the kernel does not tell its ceiling', () => {
      expect(keys(planOptions(fakePlatform(), values, ACCEPTED))).to.deep.equal(['receiveBuffer', 'sendBuffer']);
    });
  });

  it('has its outcomes made in advance, and frozen', () => {
    const plan = planOptions(fakePlatform(), { noDelay: true }, ACCEPTED);
    expect(plan.applied).to.be.frozen;
    expect(plan.applied[0]).to.be.frozen;
    expect(plan.applied).to.deep.equal([{ option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, verdict: 'applied' }]);
  });
});

describe('applying', () => {
  const VALUES: OptionValues = { noDelay: true, keepAlive: true, userTimeout: 1234 };
  const HANDLE = { fd: 42 };

  it('makes one call for each step, in order, and none to read back', () => {
    const libc = fakeLibc();
    const platform = fakePlatform({}, libc);
    const plan = planOptions(platform, VALUES, ACCEPTED);
    expect(libc.calls).to.deep.equal([]);
    applyPlan(platform, plan, HANDLE);
    expect(libc.calls.map(({ call, fd, value }) => [call, fd, value])).to.deep.equal([
      ['set', 42, 1],
      ['set', 42, 1],
      ['set', 42, 1234],
    ]);
  });

  it('returns the outcomes of the plan itself if every call succeeds', () => {
    const platform = fakePlatform();
    const plan = planOptions(platform, VALUES, ACCEPTED);
    expect(applyPlan(platform, plan, HANDLE)).to.equal(plan.applied);
    expect(applyPlan(platform, plan, { fd: 43 })).to.equal(plan.applied);
  });

  it('goes on after an option that the kernel refuses, and reports only that one', () => {
    const set: Platform['set'] = (_, __, value) => (value[0] === 1234 ? os.errno.EPERM : 0);
    const platform = fakePlatform({ set });
    const plan = planOptions(platform, { ...VALUES, noSigPipe: true }, ACCEPTED);
    const outcomes = applyPlan(platform, plan, HANDLE);
    expect(outcomes).not.to.equal(plan.applied);
    expect(outcomes.map(({ option, verdict, cause }) => [option, verdict, cause])).to.deep.equal([
      ['noDelay', 'applied', undefined],
      ['keepAlive', 'applied', undefined],
      ['userTimeout', 'refused', 'EPERM'],
      ['noSigPipe', 'applied', undefined],
    ]);
    expect(plan.applied[2]).to.include({ verdict: 'applied' });
  });

  it('distinguishes options that a socket does not have from those that it refuses', () => {
    const verdict = (errno: number): string | undefined => {
      const platform = fakePlatform({ set: () => errno });
      const step = only(planOptions(platform, { noDelay: true }, ACCEPTED));
      return applyStep(platform, step, HANDLE).verdict;
    };
    const { ENOPROTOOPT, EOPNOTSUPP, EINVAL, EACCES, EBADF } = os.errno;
    expect([ENOPROTOOPT, EOPNOTSUPP].map(verdict)).to.deep.equal(['unsupported', 'unsupported']);
    expect([EINVAL, EACCES, EBADF].map(verdict)).to.deep.equal(['refused', 'refused', 'refused']);
    expect(verdict(0)).to.equal('applied');
  });
});

describe('reading back', () => {
  function confirmed(values: OptionValues, kernel: number | undefined, overrides: Partial<Platform> = {}) {
    const get: Platform['get'] = (_, __, value) => {
      value[0] = kernel ?? 0;
      return kernel === undefined ? os.errno.EOPNOTSUPP : 0;
    };
    const platform = fakePlatform({ get, ...overrides });
    const kind = { ...(values.deferAccept || values.fastOpen ? LISTENER : ACCEPTED), clientSpeaksFirst: true };
    const step = only(planOptions(platform, values, kind));
    return applyAndConfirm(platform, step, { fd: 42 });
  }

  it('accepts any value but 0 for a flag that is on', () => {
    expect(confirmed({ noDelay: true }, 2)).to.include({ verdict: 'applied', kernel: 2 });
    expect(confirmed({ noDelay: true }, 0)).to.include({ verdict: 'clamped', kernel: 0 });
    expect(confirmed({ noDelay: false }, 0)).to.include({ verdict: 'applied', kernel: 0 });
    expect(confirmed({ noDelay: false }, 4)).to.include({ verdict: 'clamped', kernel: 4 });
  });

  it('expects twice the size of a buffer', () => {
    expect(confirmed({ sendBuffer: 5000 }, 10_000)).to.include({ verdict: 'applied', kernel: 10_000 });
    expect(confirmed({ sendBuffer: 5000 }, 5000)).to.include({
      verdict: 'clamped',
      kernel: 5000,
      cause: 'the kernel made 5000 into 5000',
    });
  });

  it('allows the kernel to round a time up, and not down', () => {
    expect(confirmed({ deferAccept: 5 }, 7)).to.include({ verdict: 'applied', kernel: 7 });
    expect(confirmed({ deferAccept: 5 }, 3)).to.include({ verdict: 'clamped', kernel: 3 });
  });

  it('expects every other number as it was asked for', () => {
    expect(confirmed({ userTimeout: 5 }, 5)).to.include({ verdict: 'applied', kernel: 5 });
    expect(confirmed({ userTimeout: 5 }, 6)).to.include({ verdict: 'clamped', cause: 'the kernel made 5 into 6' });
  });

  it('trusts the call if the option cannot be read', () => {
    expect(confirmed({ userTimeout: 5 }, undefined))
      .to.include({ verdict: 'applied' })
      .and.not.have.property('kernel');
    const get: Platform['get'] = () => os.errno.EPERM;
    expect(confirmed({ userTimeout: 5 }, 9, { get }))
      .to.include({ verdict: 'applied' })
      .and.not.have.property('kernel');
  });

  it('does not read an option whose effect wears off', () => {
    let reads = 0;
    const get: Platform['get'] = () => {
      reads++;
      return 0;
    };
    expect(confirmed({ quickAck: 'on' }, 0, { get })).to.include({ verdict: 'applied' });
    expect(reads).to.equal(0);
    confirmed({ noDelay: true }, 0, { get });
    expect(reads).to.equal(1);
  });

  it('reports an option that is set without effect', () => {
    const inertCause = (constant: string): string | undefined =>
      constant === 'TCP_FASTOPEN' ? 'net.ipv4.tcp_fastopen=1 lacks bit 2' : undefined;
    expect(confirmed({ fastOpen: 64 }, 64, { inertCause })).to.include({
      verdict: 'inert',
      kernel: 64,
      cause: 'net.ipv4.tcp_fastopen=1 lacks bit 2',
    });
    expect(confirmed({ fastOpen: 64 }, 64)).to.include({ verdict: 'applied' });
    expect(confirmed({ userTimeout: 64 }, 64, { inertCause })).to.include({ verdict: 'applied' });
  });

  it('leaves the outcome of a failed call as it is', () => {
    const outcome = confirmed({ userTimeout: 5 }, 5, { set: () => os.errno.EINVAL });
    expect(outcome).to.include({ verdict: 'refused', cause: 'EINVAL' }).and.not.have.property('kernel');
    const platform = fakePlatform();
    const step = only(planOptions(platform, { userTimeout: 5 }, ACCEPTED));
    expect(confirm(platform, step, outcome, { fd: 42 })).to.equal(outcome);
  });
});

describe('options on the running kernel', () => {
  let server: Server;
  let pair: SocketPair;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    server = await listening();
    pair = await connection(server);
  });

  afterEach(() => {
    pair.close();
    server.close();
  });

  it('are refused one by one if a value is beyond the kernel’s range', () => {
    const handle = handleOf(pair.accepted);
    const before = kernelValue(handle, 'TCP_KEEPCNT');
    const values: OptionValues = { keepAlive: true, keepAliveCount: 128, userTimeout: 4321 };
    const outcomes = applyPlan(linux(), planOptions(linux(), values, ACCEPTED), handle);
    expect(outcomes.map(({ option, verdict, cause }) => [option, verdict, cause])).to.deep.equal([
      ['keepAlive', 'applied', undefined],
      ['keepAliveCount', 'refused', 'EINVAL'],
      ['userTimeout', 'applied', undefined],
    ]);
    expect(kernelValue(handle, 'TCP_KEEPCNT')).to.equal(before);
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(4321);
  });

  it('are refused on a handle that is closed', () => {
    const handle = handleOf(pair.accepted);
    pair.accepted.destroy();
    const step = only(planOptions(linux(), { noDelay: true }, ACCEPTED));
    expect(applyStep(linux(), step, handle)).to.include({ verdict: 'refused', cause: 'EBADF' });
    expect(readOption(linux(), step, handle)).to.equal(undefined);
  });

  it('are clamped if a buffer is above the system’s limit, or below its minimum', () => {
    const [limit = 0] = sysctl('core/wmem_max');
    const platform: Platform = { ...linux(), autotuningCeiling: () => undefined };
    const handle = handleOf(pair.accepted);
    const set = (sendBuffer: number) =>
      applyAndConfirm(platform, only(planOptions(platform, { sendBuffer }, ACCEPTED)), handle);
    expect(set(limit * 2)).to.deep.include({
      verdict: 'clamped',
      kernel: limit * 2,
      cause: `the kernel made ${limit * 2} into ${limit * 2}; net.core.wmem_max=${limit}`,
    });
    const tooLittle = set(1024);
    expect(tooLittle.verdict).to.equal('clamped');
    expect(tooLittle.kernel).to.be.greaterThan(2048);
  });

  it('exceed the system’s limit in exact mode if the process has the privilege', function () {
    if (process.geteuid?.() !== 0) this.skip();
    const [limit = 0] = sysctl('core/wmem_max');
    const exact = { ...ACCEPTED, exactBuffers: true };
    const handle = handleOf(pair.accepted);
    const step = only(planOptions(linux(), { sendBuffer: limit + 4096 }, exact));
    expect(applyAndConfirm(linux(), step, handle)).to.include({ verdict: 'applied', kernel: (limit + 4096) * 2 });
    const unprivileged: Platform = {
      ...linux(),
      set: (socket, constant, value) =>
        constant === step.constant.privileged ? os.errno.EPERM : linux().set(socket, constant, value),
    };
    expect(applyAndConfirm(unprivileged, step, handle)).to.include({ verdict: 'clamped', kernel: limit * 2 });
  });

  it('have names as well as numbers', () => {
    const handle = handleOf(pair.accepted);
    const step = only(planOptions(linux(), { congestionControl: 'reno' }, ACCEPTED));
    expect(readOption(linux(), step, handle))
      .to.be.a('string')
      .and.not.equal('reno');
    expect(applyAndConfirm(linux(), step, handle)).to.include({ verdict: 'applied', asked: 'reno', kernel: 'reno' });
    const unknown = only(planOptions(linux(), { congestionControl: 'nonesuch' }, ACCEPTED));
    expect(applyAndConfirm(linux(), unknown, handle)).to.include({ verdict: 'refused' });
    const available = sysctlWords('ipv4/tcp_available_congestion_control') ?? [];
    expect(applyAndConfirm(linux(), unknown, handle).cause).to.match(
      new RegExp(`^ENOENT; available are ${available.join(', ')}`),
    );
    expect(readOption(linux(), step, handle)).to.equal('reno');
  });

  it('raise the backlog of a listener, and never lower it', () => {
    const handle = listenHandleOf(server);
    const set = (backlog: number) =>
      applyAndConfirm(linux(), only(planOptions(linux(), { backlog }, LISTENER)), handle);
    expect(set(100)).to.include({ verdict: 'unneeded', kernel: 511 });
    expect(set(777)).to.include({ verdict: 'applied', kernel: 777 });
    expect(set(777)).to.include({ verdict: 'unneeded', kernel: 777 });
    const [limit = 0] = sysctl('core/somaxconn');
    expect(set(limit + 1)).to.include({
      verdict: 'clamped',
      kernel: limit,
      cause: `the kernel made ${limit + 1} into ${limit}; net.core.somaxconn=${limit}`,
    });
  });

  it('of IPv6 are unneeded on an IPv4 socket', () => {
    const step = only(planOptions(linux(), { trafficClass: 184 }, ACCEPTED));
    const outcome = applyAndConfirm(linux(), step, handleOf(pair.accepted));
    expect(outcome).to.include({ verdict: 'unneeded', cause: 'not an IPv6 socket' });
  });

  it('can be set by their numbers, each on its kind of socket', () => {
    const raw = [
      { level: 6, name: 25, value: 12_345, phase: 'accepted' },
      { level: 1, name: 9, value: 1, phase: 'before-listen' },
      { level: 6, name: 9999, value: 1, phase: 'accepted' },
    ] as const;
    const accepted = planOptions(linux(), { raw }, ACCEPTED);
    const outcomes = accepted.steps.map((step) => applyAndConfirm(linux(), step, handleOf(pair.accepted)));
    expect(outcomes.map(({ constant, verdict, kernel }) => [constant, verdict, kernel])).to.deep.equal([
      ['6:25', 'applied', 12_345],
      ['6:9999', 'unsupported', undefined],
    ]);
    expect(planOptions(linux(), { raw }, LISTENER).steps.map((step) => step.row.constant)).to.deep.equal(['1:9']);
  });

  it('are doubled where a buffer is exact, and left alone where a floor is below the kernel’s own ceiling', () => {
    const handle = handleOf(pair.accepted);
    const initial = kernelValue(handle, 'SO_SNDBUF');
    expect(initial).not.to.equal(98_304 * 2);
    const floor = planOptions(linux(), { sendBuffer: 98_304 }, ACCEPTED);
    const ceiling = sysctl('ipv4/tcp_wmem')[2] ?? 0;
    expect(ceiling).to.be.at.least(98_304);
    expect(floor.steps).to.deep.equal([]);
    expect(floor.skipped[0]).to.include({ verdict: 'unneeded', cause: `the kernel grows it to ${ceiling} by itself` });
    const exact = only(planOptions(linux(), { sendBuffer: 98_304 }, { ...ACCEPTED, exactBuffers: true }));
    expect(applyAndConfirm(linux(), exact, handle)).to.include({
      verdict: 'applied',
      kernel: 98_304 * 2,
      note: 'the kernel doubles it, for its own bookkeeping',
    });
    expect(kernelValue(handle, 'SO_SNDBUF')).to.equal(98_304 * 2);
  });

  it('are inert for FASTOPEN if tcp_fastopen says so', () => {
    const [mode = 0] = sysctl('ipv4/tcp_fastopen');
    const handle = listenHandleOf(server);
    expect(kernelValue(handle, 'TCP_FASTOPEN')).to.equal(0);
    const outcome = applyAndConfirm(linux(), only(planOptions(linux(), { fastOpen: 77 }, LISTENER)), handle);
    expect(outcome.kernel).to.equal(77);
    if ((mode & 2) === 0) {
      expect(outcome).to.include({ verdict: 'inert', cause: `net.ipv4.tcp_fastopen=${mode} lacks bit 2` });
    } else expect(outcome).to.include({ verdict: 'applied' });
  });
});
