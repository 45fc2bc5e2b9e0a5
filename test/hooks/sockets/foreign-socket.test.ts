import os from 'node:os';
import { expect } from 'chai';
import {
  type ForeignOutcomes,
  isTunedElsewhere,
  tuneForeignSocket,
} from '../../../src/hooks/sockets/foreign-socket.js';
import type { SocketHandle } from '../../../src/node/net.js';
import { planOptions, type Step } from '../../../src/options/plan.js';
import type { OptionTarget } from '../../../src/options/socket-option.js';
import type { OptionValues } from '../../../src/options/table.js';
import { type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, linux, setKernelValue } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, listening } from '../../support/sockets/socket-pair.js';

/** No socket has them by itself. */
const VALUES: OptionValues = { noDelay: true, userTimeout: 54_321, notSentLowWater: 99_000 };

/** By option, what came of it. */
function verdicts({ outcomes }: ForeignOutcomes): Record<string, string> {
  return Object.fromEntries(outcomes.map(({ option, verdict }) => [option, verdict]));
}

describe('a socket that somebody else has opened', () => {
  const handles: SocketHandle[] = [];
  let platform: ObservedPlatform;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(() => {
    platform = observedPlatform();
  });

  afterEach(() => {
    for (const { fd = -1 } of handles.splice(0)) linux().close(fd);
  });

  function opened(options: Readonly<Record<string, number>> = {}): SocketHandle {
    const handle = { fd: linux().openSocket(true) ?? -1 };
    handles.push(handle);
    for (const [constant, value] of Object.entries(options)) setKernelValue(handle, constant, value);
    return handle;
  }

  function steps(values: OptionValues, target: OptionTarget = 'accepted'): readonly Step[] {
    const kind = { target, family: 'tcp', clientSpeaksFirst: true, exactBuffers: true } as const;
    return planOptions(platform, values, kind).steps;
  }

  function tune(
    handle: SocketHandle,
    values: OptionValues,
    { target = 'accepted' as OptionTarget, named = [] as readonly string[] } = {},
  ): ForeignOutcomes {
    return tuneForeignSocket(platform, steps(values, target), handle, ({ row }) => named.includes(row.key));
  }

  const sets = (): string[] => platform.calls.filter(({ call }) => call === 'set').map(({ constant }) => constant);

  it('has its options set where it has the kernel’s defaults', () => {
    const handle = opened();
    const outcomes = tune(handle, VALUES);
    expect(verdicts(outcomes)).to.deep.equal({
      noDelay: 'applied',
      userTimeout: 'applied',
      notSentLowWater: 'applied',
    });
    expect(outcomes.isTuned).to.equal(false);
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(54_321);
    expect(kernelValue(handle, 'TCP_NODELAY')).to.equal(1);
  });

  it('costs no call that sets anything where all is as asked', () => {
    const handle = opened({ TCP_NODELAY: 1, TCP_USER_TIMEOUT: 54_321, TCP_NOTSENT_LOWAT: 99_000 });
    const outcomes = tune(handle, VALUES);
    expect(verdicts(outcomes)).to.deep.equal({
      noDelay: 'inherited',
      userTimeout: 'inherited',
      notSentLowWater: 'inherited',
    });
    expect(outcomes.isTuned).to.equal(true);
    expect(sets()).to.deep.equal([]);
  });

  it('keeps the kernel’s defaults that an app has gone back to, where another socket-tune has tuned it', () => {
    const handle = opened({ TCP_USER_TIMEOUT: 54_321 });
    const outcomes = tune(handle, VALUES);
    expect(outcomes.isTuned).to.equal(true);
    expect(verdicts(outcomes)).to.deep.equal({
      noDelay: 'unneeded',
      userTimeout: 'inherited',
      notSentLowWater: 'unneeded',
    });
    expect(outcomes.outcomes[0]?.cause).to.include('taken it back');
    expect(kernelValue(handle, 'TCP_NODELAY')).to.equal(0);
  });

  it('is not taken for tuned by what an app may have set itself', () => {
    const handle = opened({ TCP_NODELAY: 1 });
    const outcomes = tune(handle, VALUES);
    expect(outcomes.isTuned).to.equal(false);
    expect(verdicts(outcomes)).to.deep.equal({
      noDelay: 'inherited',
      userTimeout: 'applied',
      notSentLowWater: 'applied',
    });
  });

  it('keeps another value that somebody has set, unless the user has named the option', () => {
    const handle = opened({ TCP_USER_TIMEOUT: 1111 });
    const { outcomes } = tune(handle, { userTimeout: 54_321 });
    expect(outcomes[0]).to.include({ verdict: 'unneeded', kernel: 1111 });
    expect(outcomes[0]?.cause).to.include('has set it');
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(1111);
    const named = tune(handle, { userTimeout: 54_321 }, { named: ['userTimeout'] });
    expect(verdicts(named)).to.deep.equal({ userTimeout: 'applied' });
    expect(kernelValue(handle, 'TCP_USER_TIMEOUT')).to.equal(54_321);
  });

  it('has its buffers set in any case, as the kernel changes them by itself', () => {
    const handle = opened({ SO_RCVBUF: 50_000, TCP_USER_TIMEOUT: 54_321 });
    const outcomes = tune(handle, { receiveBuffer: 96 << 10, userTimeout: 54_321 });
    expect(verdicts(outcomes)).to.deep.equal({ receiveBuffer: 'applied', userTimeout: 'inherited' });
    expect(kernelValue(handle, 'SO_RCVBUF')).to.equal(192 << 10);
  });

  it('has set again what does not last, without a look at it', () => {
    const outcomes = tune(opened(), { quickAck: 'on' });
    expect(verdicts(outcomes)).to.deep.equal({ quickAck: 'applied' });
    expect(platform.calls.map(({ call, constant }) => `${call} ${constant}`)).to.deep.equal(['set TCP_QUICKACK']);
  });

  it('keeps a value that is more than enough', async () => {
    const server = await listening();
    const outcomes = tune(listenHandleOf(server), { backlog: 10 }, { target: 'listener' });
    expect(verdicts(outcomes)).to.deep.equal({ backlog: 'unneeded' });
    server.close();
  });

  it('is looked at again before something is left as it is: another process may be tuning it', () => {
    const handle = opened({ TCP_USER_TIMEOUT: 54_321 });
    const { TCP_NODELAY } = platform.constants;
    let looks = 0;
    const { get } = platform;
    const changing = {
      ...platform,
      get(of: SocketHandle, constant: Parameters<typeof get>[1], value: Parameters<typeof get>[2]) {
        if (of === handle && constant === TCP_NODELAY && ++looks === 2) setKernelValue(handle, 'TCP_NODELAY', 1);
        return get(of, constant, value);
      },
    };
    const outcomes = tuneForeignSocket(changing, steps(VALUES), handle, () => false);
    expect(looks).to.equal(2);
    expect(verdicts(outcomes)).to.include({ noDelay: 'inherited', userTimeout: 'inherited' });
    expect(sets()).to.deep.equal([]);
  });

  it('is compared with an IPv4 socket where the system has no IPv6, and with none where it gives none', () => {
    const families: boolean[] = [];
    const openSocket = (isIPv6: boolean): number => {
      families.push(isIPv6);
      return isIPv6 ? -97 : linux().openSocket(false);
    };
    platform = observedPlatform({ openSocket });
    expect(tune(opened({ TCP_USER_TIMEOUT: 54_321 }), { userTimeout: 54_321 }).isTuned).to.equal(true);
    expect(families).to.deep.equal([true, false]);
    // Known from now on.
    expect(tune(opened(), { userTimeout: 54_321 }).isTuned).to.equal(false);
    expect(families).to.have.length(2);
    platform = observedPlatform({ openSocket: () => -os.constants.errno.EOPNOTSUPP });
    const outcomes = tune(opened({ TCP_USER_TIMEOUT: 54_321 }), { userTimeout: 54_321 });
    expect(outcomes.isTuned).to.equal(false);
    expect(verdicts(outcomes)).to.deep.equal({ userTimeout: 'applied' });
  });

  it('is tuned elsewhere if it shows one option that apps cannot set', () => {
    const isTuned = (options: Readonly<Record<string, number>>): boolean =>
      isTunedElsewhere(platform, steps({ ...VALUES, quickAck: 'on' }), opened(options));
    expect(isTuned({})).to.equal(false);
    expect(isTuned({ TCP_NODELAY: 1 })).to.equal(false);
    expect(isTuned({ TCP_USER_TIMEOUT: 1111 })).to.equal(false);
    expect(isTuned({ TCP_USER_TIMEOUT: 54_321 })).to.equal(true);
    expect(sets()).to.deep.equal([]);
  });
});
