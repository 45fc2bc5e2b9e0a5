import { availableParallelism, constants } from 'node:os';
import { expect } from 'chai';
import { groupSteering, steeringOutcome, steerOwn } from '../../../src/hooks/shared-port/steering.js';
import type { Platform } from '../../../src/native/platform.js';
import { honoursListenerCpu } from '../../../src/native/ports/cpu.js';
import type { Steering } from '../../../src/native/ports/socket-program.js';
import { fakePlatform } from '../../support/fake-platform.js';
import { withPorts } from '../../support/ports.js';
import { skip } from '../../support/test-run/skipped.js';
import { onOneCpu } from './one-cpu.js';

const { EPERM } = constants.errno;
const HANDLE = { fd: 3 };
const INCOMING_CPU = { level: 1, name: 49 };

describe('the outcome of steering', () => {
  it('is applied where the kernel takes the program', () => {
    const outcome = { option: 'reusePort', constant: 'SO_ATTACH_REUSEPORT_CBPF', asked: 3, verdict: 'applied' };
    expect(steeringOutcome(3, 0)).to.deep.equal(outcome);
  });

  it("is refused with the kernel's error, and says what the kernel does instead", () => {
    const cause = 'EPERM; the kernel goes by a hash of the addresses';
    expect(steeringOutcome(3, EPERM)).to.deep.include({ verdict: 'refused', cause });
  });

  it('is unsupported where the system has no such programs', () => {
    expect(steeringOutcome(3, undefined)).to.deep.include({ verdict: 'unsupported', cause: 'this system has none' });
  });
});

describe('the steering of a group', () => {
  const worker = (pid?: number) => ({ worker: { id: 1, pid } });
  const vacant = { worker: undefined };

  it('goes to the listeners that have a worker', () => {
    expect(groupSteering([], false).active).to.deep.equal([]);
    expect(groupSteering([vacant], false).active).to.deep.equal([]);
    expect(groupSteering([worker(), vacant, worker()], true)).to.deep.equal({
      active: [0, 2],
      byCpu: true,
      pinned: new Map(),
    });
  });

  it('knows which worker is bound to a CPU; of two, the first has it', function () {
    if (process.platform !== 'linux') this.skip();
    onOneCpu((cpu) => {
      const ours = worker(process.pid);
      expect([...groupSteering([vacant, ours, ours], true).pinned]).to.deep.equal([[cpu, 1]]);
    });
  });

  it('takes a worker that has just ended for one on several CPUs', () => {
    expect([...groupSteering([worker(2 ** 30)], true).pinned]).to.deep.equal([]);
  });
});

describe('a process that steers for itself', () => {
  let steerings: Steering[] = [];
  let values: unknown[] = [];

  beforeEach(() => {
    steerings = [];
    values = [];
  });

  function platform(errno: number, overrides: Partial<Platform> = {}): Platform {
    const fake = fakePlatform({
      constants: { SO_INCOMING_CPU: INCOMING_CPU },
      set(handle, constant, value) {
        expect([handle, constant]).to.deep.equal([HANDLE, INCOMING_CPU]);
        values.push(...value);
        return errno;
      },
    });
    const steering = withPorts(fake, {
      steer(handle, asked) {
        expect(handle).to.equal(HANDLE);
        if (asked !== undefined) steerings.push(asked);
        return errno;
      },
    });
    return { ...steering, ...overrides };
  }

  describe('and runs on several CPUs', () => {
    before(function () {
      if (process.platform === 'linux' && availableParallelism() < 2) skip(this, 'there is one CPU only');
    });

    it('chooses by the CPU among as many listeners as there are', () => {
      expect(steerOwn(platform(0), HANDLE, 3)).to.include({ asked: 3, verdict: 'applied' });
      expect(steerings).to.deep.equal([{ active: [0, 1, 2], byCpu: true, pinned: new Map() }]);
      expect(values).to.deep.equal([]);
    });

    it('says so if the kernel refuses, or the system has no shared ports', () => {
      expect(steerOwn(platform(EPERM), HANDLE, 2)).to.include({ verdict: 'refused' });
      expect(steerOwn(platform(0, { ports: undefined }), HANDLE, 2)).to.include({ verdict: 'unsupported' });
    });

    it('leaves it where the kernel does not tell how many there are', () => {
      expect(steerOwn(platform(0), HANDLE, undefined)).to.equal(undefined);
      expect(steerings).to.deep.equal([]);
    });
  });

  describe('and runs on one CPU', () => {
    before(function () {
      if (process.platform !== 'linux') this.skip();
    });

    it('tells the kernel which, however many listeners there are', () => {
      onOneCpu((cpu) => {
        const outcome = steerOwn(platform(0), HANDLE, undefined);
        const verdict = honoursListenerCpu() ? 'applied' : 'inert';
        expect(outcome).to.include({ constant: 'SO_INCOMING_CPU', asked: cpu, verdict });
        expect(values).to.deep.equal([cpu]);
        expect(steerings).to.deep.equal([]);
      });
    });

    it('says so if the kernel refuses, or has no such option', () => {
      onOneCpu(() => {
        expect(steerOwn(platform(EPERM), HANDLE, 2)).to.include({ verdict: 'refused', cause: 'EPERM' });
        const without = platform(0, { constants: {} });
        expect(steerOwn(without, HANDLE, 2)).to.include({ verdict: 'refused', cause: 'not here' });
        expect(steerings).to.deep.equal([]);
      });
    });
  });
});
