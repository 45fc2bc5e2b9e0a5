import { constants } from 'node:os';
import { expect } from 'chai';
import { loadLibc } from '../../src/native/libc.js';
import { signalActions } from '../../src/native/signal-action.js';
import { linux } from '../support/sockets/kernel-value.js';

const { SIGUSR2, SIGKILL } = constants.signals;

/** The first word of struct sigaction. */
function handlerOf(action: Uint8Array): Uint8Array {
  return action.slice(0, 8);
}

describe('the kernel’s action on a signal', () => {
  let heard = 0;
  const listener = (): void => {
    heard++;
  };

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    process.off('SIGUSR2', listener);
  });

  function actions(): NonNullable<ReturnType<typeof linux>['signals']> {
    const { signals } = linux();
    if (signals === undefined) throw new Error('no signals here');
    return signals;
  }

  async function signalled(): Promise<number> {
    const before = heard;
    process.kill(process.pid, 'SIGUSR2');
    while (heard === before) await new Promise(setImmediate);
    return heard - before;
  }

  it('can be kept and put back', async () => {
    const untouched = actions().current(SIGUSR2)!;
    process.on('SIGUSR2', listener);
    const caught = actions().current(SIGUSR2)!;
    expect(handlerOf(caught)).not.to.deep.equal(handlerOf(untouched));
    expect(actions().set(SIGUSR2, untouched)).to.equal(true);
    expect(handlerOf(actions().current(SIGUSR2)!)).to.deep.equal(handlerOf(untouched));
    expect(actions().set(SIGUSR2, caught)).to.equal(true);
    expect(await signalled()).to.equal(1);
  });

  it('can apply to one signal only', async () => {
    const untouched = actions().current(SIGUSR2)!;
    process.on('SIGUSR2', listener);
    const caught = actions().current(SIGUSR2)!;
    const once = actions().once(caught)!;
    expect(actions().set(SIGUSR2, once)).to.equal(true);
    expect(await signalled()).to.equal(1);
    expect(handlerOf(actions().current(SIGUSR2)!)).to.deep.equal(handlerOf(untouched));
    actions().set(SIGUSR2, caught);
    expect(await signalled()).to.equal(1);
    expect(await signalled()).to.equal(1);
  });

  it('cannot apply to one signal only where the layout of its flags is unknown', () => {
    process.on('SIGUSR2', listener);
    const caught = actions().current(SIGUSR2)!;
    const elsewhere = { flagsAt: 64, restart: 0x10000000, resetHand: 0x80000000, added: 0 };
    expect(signalActions(loadLibc(), elsewhere).once(caught)).to.equal(undefined);
  });

  it('cannot be changed for a signal that cannot be caught', () => {
    process.on('SIGUSR2', listener);
    expect(actions().set(SIGKILL, actions().current(SIGUSR2)!)).to.equal(false);
  });
});
