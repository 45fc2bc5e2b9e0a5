import { constants as os } from 'node:os';
import { expect } from 'chai';
import { defaultConfig } from '../../src/config/config.js';
import { darwinPlatform } from '../../src/native/darwin.js';
import { applyPlan, confirm } from '../../src/options/apply.js';
import { type Plan, planOptions, type SocketKind } from '../../src/options/plan.js';
import { type FakeLibc, fakeLibc } from '../support/fake-platform.js';

const LISTENER: SocketKind = { target: 'listener', family: 'tcp', clientSpeaksFirst: true, exactBuffers: false };
const ACCEPTED: SocketKind = { ...LISTENER, target: 'accepted' };

/** Numbers of xnu, by hand: bsd/sys/socket.h, bsd/netinet/{in,tcp}.h, bsd/netinet6/in6.h. */
const HEADERS: Readonly<Record<string, readonly [level: number, name: number]>> = {
  TCP_NODELAY: [6, 0x01],
  SO_RCVBUF: [0xffff, 0x1002],
  SO_SNDBUF: [0xffff, 0x1001],
  SO_KEEPALIVE: [0xffff, 0x0008],
  TCP_KEEPIDLE: [6, 0x10],
  TCP_KEEPINTVL: [6, 0x101],
  TCP_KEEPCNT: [6, 0x102],
  TCP_FASTOPEN: [6, 0x105],
  TCP_USER_TIMEOUT: [6, 0x80],
  TCP_NOTSENT_LOWAT: [6, 0x201],
  TCP_MAXSEG: [6, 0x02],
  SO_RCVLOWAT: [0xffff, 0x1004],
  SO_BINDTODEVICE: [0, 25],
  IP_TOS: [0, 3],
  IPV6_TCLASS: [41, 36],
  IP_RECVTOS: [0, 27],
  SO_NOSIGPIPE: [0xffff, 0x1022],
};

function keys(plan: Plan): string[] {
  return plan.steps.map((step) => step.row.key);
}

describe('the macOS platform', () => {
  let libc: FakeLibc;

  beforeEach(() => {
    libc = fakeLibc();
  });

  it('has the numbers of xnu’s headers', () => {
    const { constants } = darwinPlatform(libc);
    const numbers = Object.entries(constants).map(([name, constant]) => [name, [constant.level, constant.name]]);
    expect(Object.fromEntries(numbers)).to.deep.equal(HEADERS);
  });

  it('is available, and has no calls for files and no ceiling of buffers', () => {
    const platform = darwinPlatform(libc);
    expect(platform).to.include({ name: 'darwin', unavailable: undefined, files: undefined });
    expect(platform.autotuningCeiling('send')).to.equal(undefined);
    expect(platform.inertCause('TCP_FASTOPEN')).to.equal(undefined);
  });

  it('sets keepalive, its times, the user timeout and NOSIGPIPE on accepted sockets, not on listeners', () => {
    const platform = darwinPlatform(libc);
    const values = { ...defaultConfig(), userTimeout: 5000 };
    const later = [
      'keepAlive',
      'keepAliveIdle',
      'keepAliveInterval',
      'keepAliveCount',
      'userTimeout',
      'noSigPipe',
    ] as const;
    expect(keys(planOptions(platform, values, LISTENER))).to.deep.equal([
      'noDelay',
      'receiveBuffer',
      'sendBuffer',
      'fastOpen',
    ]);
    expect(keys(planOptions(platform, values, ACCEPTED))).to.include.members([...later]);
  });

  it('sets FASTOPEN after listen(2), and every other option before', () => {
    const { steps } = planOptions(darwinPlatform(libc), defaultConfig(), LISTENER);
    expect(steps.filter((step) => step.constant.afterListen).map((step) => step.row.key)).to.deep.equal(['fastOpen']);
  });

  it('reports each option of Linux that it lacks as unsupported', () => {
    const platform = darwinPlatform(libc);
    const lacking = (kind: SocketKind): string[] =>
      planOptions(platform, defaultConfig(), kind).skipped.map(
        ({ option, verdict, cause }) => `${option} ${verdict}: ${cause}`,
      );
    expect(lacking(LISTENER)).to.deep.equal([
      'backlog unsupported: darwin has no listen(2)',
      'retransmitTimeoutMax unsupported: darwin has no TCP_RTO_MAX_MS',
      'deadPeer unsupported: darwin has no TCP_INFO',
    ]);
    expect(lacking(ACCEPTED)).to.deep.equal([
      'quickAck unsupported: darwin has no TCP_QUICKACK',
      'retransmitTimeoutMax unsupported: darwin has no TCP_RTO_MAX_MS',
      'deadPeer unsupported: darwin has no TCP_INFO',
    ]);
  });

  it('calls setsockopt(2) with its own numbers', () => {
    const platform = darwinPlatform(libc);
    const plan = planOptions(platform, { keepAlive: true, keepAliveIdle: 33, noSigPipe: true }, ACCEPTED);
    expect(applyPlan(platform, plan, { fd: 7 })).to.equal(plan.applied);
    expect(libc.calls).to.deep.equal([
      { call: 'set', fd: 7, level: 0xffff, name: 0x0008, value: 1 },
      { call: 'set', fd: 7, level: 6, name: 0x10, value: 33 },
      { call: 'set', fd: 7, level: 0xffff, name: 0x1022, value: 1 },
    ]);
  });

  it('passes times in seconds and FASTOPEN as on or off, as xnu expects', () => {
    const platform = darwinPlatform(libc);
    const accepted = planOptions(platform, { userTimeout: 30_500 }, ACCEPTED);
    const listener = planOptions(platform, { fastOpen: 256 }, LISTENER);
    for (const plan of [accepted, listener]) applyPlan(platform, plan, { fd: 7 });
    expect(libc.calls).to.deep.equal([
      { call: 'set', fd: 7, level: 6, name: 0x80, value: 31 },
      { call: 'set', fd: 7, level: 6, name: 0x105, value: 1 },
    ]);
    expect(accepted.applied[0]).to.include({ asked: 30_500 });
    const [step] = listener.steps;
    expect(confirm(platform, step!, step!.applied, { fd: 7 })).to.include({
      verdict: 'applied',
      asked: 256,
      kernel: 1,
    });
  });

  it('returns the errno of a failed call', () => {
    const platform = darwinPlatform(fakeLibc(os.errno.EPERM));
    const plan = planOptions(platform, { noSigPipe: true }, ACCEPTED);
    expect(applyPlan(platform, plan, { fd: 7 })[0]).to.include({ verdict: 'refused', cause: 'EPERM' });
  });
});
