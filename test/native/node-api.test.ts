import { once } from 'node:events';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { defaultConfig } from '../../src/config/config.js';
import { nodeApiPlatform } from '../../src/native/node-api.js';
import { applyPlan } from '../../src/options/apply.js';
import { planOptions, type SocketKind } from '../../src/options/plan.js';
import { kernelValue } from '../support/sockets/kernel-value.js';
import { handleOf, type SocketPair, socketPair } from '../support/sockets/socket-pair.js';

const CAUSE = 'koffi is not to be had';
const ACCEPTED: SocketKind = { target: 'accepted', family: 'tcp', clientSpeaksFirst: true, exactBuffers: false };

describe('the platform that has only Node’s own API', () => {
  const platform = nodeApiPlatform(CAUSE);
  let pair: SocketPair;

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => pair.close());

  it('has the cause of the lack of native calls, and can neither read options nor send files', () => {
    expect(platform).to.include({ name: 'node-api', unavailable: CAUSE, files: undefined });
    expect(platform.get(handleOf(pair.accepted), platform.constants.TCP_NODELAY!, new Int32Array(1))).to.equal(
      os.errno.EOPNOTSUPP,
    );
    expect(platform.autotuningCeiling('send')).to.equal(undefined);
    expect(platform.inertCause('TCP_FASTOPEN')).to.equal(undefined);
  });

  it('plans NODELAY, keepalive and its idle time for accepted sockets, and nothing for listeners', () => {
    const { steps, skipped } = planOptions(platform, defaultConfig(), ACCEPTED);
    expect(steps.map((step) => step.row.key)).to.deep.equal(['noDelay', 'keepAlive', 'keepAliveIdle']);
    expect(skipped.map((outcome) => outcome.option)).to.include.members(['quickAck', 'keepAliveCount', 'sendBuffer']);
    for (const outcome of skipped) expect(outcome).to.include({ verdict: 'unsupported', cause: CAUSE });
    expect(planOptions(platform, defaultConfig(), { ...ACCEPTED, target: 'listener' }).steps).to.deep.equal([]);
  });

  describe('on Linux, where the kernel can be asked', () => {
    before(function () {
      if (process.platform !== 'linux') this.skip();
    });

    it('sets them in the kernel', () => {
      const handle = handleOf(pair.accepted);
      const kernel = () => [
        kernelValue(handle, 'TCP_NODELAY'),
        kernelValue(handle, 'SO_KEEPALIVE'),
        kernelValue(handle, 'TCP_KEEPIDLE'),
      ];
      expect(kernel()).to.deep.equal([0, 0, 7200]);
      const plan = planOptions(platform, { noDelay: true, keepAlive: true, keepAliveIdle: 77 }, ACCEPTED);
      expect(applyPlan(platform, plan, handle)).to.equal(plan.applied);
      expect(kernel()).to.deep.equal([1, 1, 77]);
    });

    it('keeps the system’s idle time where none is asked for', () => {
      const handle = handleOf(pair.accepted);
      expect(kernelValue(handle, 'SO_KEEPALIVE')).to.equal(0);
      applyPlan(platform, planOptions(platform, { keepAlive: true }, ACCEPTED), handle);
      expect(kernelValue(handle, 'SO_KEEPALIVE')).to.equal(1);
      expect(kernelValue(handle, 'TCP_KEEPIDLE')).to.equal(7200);
    });

    it('switches off as well as on', () => {
      const handle = handleOf(pair.accepted);
      applyPlan(platform, planOptions(platform, { noDelay: true, keepAlive: true }, ACCEPTED), handle);
      expect([kernelValue(handle, 'TCP_NODELAY'), kernelValue(handle, 'SO_KEEPALIVE')]).to.deep.equal([1, 1]);
      const off = planOptions(platform, { noDelay: false, keepAlive: false }, ACCEPTED);
      expect(applyPlan(platform, off, handle)).to.equal(off.applied);
      expect([kernelValue(handle, 'TCP_NODELAY'), kernelValue(handle, 'SO_KEEPALIVE')]).to.deep.equal([0, 0]);
    });
  });

  it('returns the errno of a failed call, and ENOPROTOOPT for an unknown option', () => {
    const noDelay = platform.constants.TCP_NODELAY!;
    expect(platform.set({ setNoDelay: () => -os.errno.EINVAL }, noDelay, Int32Array.of(1))).to.equal(os.errno.EINVAL);
    expect(platform.set({ setNoDelay: () => 0 }, noDelay, Int32Array.of(1))).to.equal(0);
    expect(platform.set({}, noDelay, Int32Array.of(1))).to.equal(os.errno.ENOPROTOOPT);
    expect(platform.set(handleOf(pair.accepted), { level: 6, name: 18 }, Int32Array.of(1))).to.equal(
      os.errno.ENOPROTOOPT,
    );
  });

  it('does not throw for a handle that is closing or closed', async () => {
    const handle = handleOf(pair.accepted);
    const plan = planOptions(platform, { noDelay: true, keepAlive: true }, ACCEPTED);
    pair.accepted.destroy();
    // libuv only notes an option for a socket that it does not have yet.
    expect(applyPlan(platform, plan, handle)).to.equal(plan.applied);
    await once(pair.accepted, 'close');
    await new Promise(setImmediate);
    const outcomes = applyPlan(platform, plan, handle);
    expect(outcomes.map(({ verdict, cause }) => `${verdict} ${cause}`)).to.deep.equal([
      'refused EBADF',
      'refused EBADF',
    ]);
  });
});
