import { expect } from 'chai';
import { poolTurn } from '../../../src/node/clock.js';
import { type EventCalls, type PollPhaseUse, usePollPhase } from '../../../src/node/patch/poll-phase.js';
import { realFiles } from '../../support/files/fake-files.js';
import { eventDescriptors } from '../../support/test-run/descriptors.js';
import { until } from '../../support/until.js';

const EMFILE = 24;
const EBADF = 9;

function called(amount: number): Promise<number[]> {
  const order: number[] = [];
  return new Promise((resolve) => {
    for (let call = 0; call < amount; call++) {
      poolTurn(() => {
        if (order.push(call) === amount) resolve(order);
      });
    }
  });
}

describe('calling back in the poll phase', () => {
  let use: PollPhaseUse | undefined;

  beforeEach(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    use?.undo();
    use = undefined;
  });

  it('takes one event descriptor, at the first callback, and gives it back when it is undone', async () => {
    const before = eventDescriptors();
    use = usePollPhase(realFiles);
    expect(eventDescriptors()).to.equal(before);
    for (let round = 0; round < 3; round++) expect(await called(3)).to.deep.equal([0, 1, 2]);
    expect(eventDescriptors()).to.equal(before + 1);
    use.undo();
    await until('the descriptor is closed', () => eventDescriptors() === before);
  });

  it('takes the descriptor sooner if it is asked to, and none once it is undone', () => {
    const before = eventDescriptors();
    use = usePollPhase(realFiles);
    use.open();
    use.open();
    expect(eventDescriptors()).to.equal(before + 1);
    const undone = usePollPhase(realFiles);
    undone.undo();
    undone.open();
    expect(eventDescriptors()).to.equal(before + 1);
  });

  it('calls back whom it owes a callback when it is undone, and closes its descriptor after that', async () => {
    const before = eventDescriptors();
    use = usePollPhase(realFiles);
    const waiting = called(5);
    use.undo();
    const later = called(5);
    expect(await waiting).to.deep.equal([0, 1, 2, 3, 4]);
    await later;
    await until('the descriptor is closed', () => eventDescriptors() === before);
  });

  it('keeps its descriptor for those who wait where one of them has it undone', async () => {
    const before = eventDescriptors();
    use = usePollPhase(realFiles);
    use.open();
    const waiting = called(1);
    poolTurn(() => use?.undo());
    const others = called(3);
    await waiting;
    expect(await others).to.deep.equal([0, 1, 2]);
    await until('the descriptor is closed', () => eventDescriptors() === before);
  });

  const broken: Readonly<Record<string, () => EventCalls | undefined>> = {
    'there are no native calls': () => undefined,
    'no descriptor can be had': () => ({ ...realFiles(), openEvent: () => -EMFILE }),
    'no handle can have the descriptor': () => ({ ...realFiles(), openEvent: () => 1_000_000, close: () => -EBADF }),
    'the descriptor cannot be written': () => ({ ...realFiles(), notify: () => -EBADF }),
  };
  for (const [title, calls] of Object.entries(broken)) {
    it(`calls back all the same where ${title}`, async () => {
      use = usePollPhase(calls);
      for (let round = 0; round < 3; round++) expect(await called(3)).to.deep.equal([0, 1, 2]);
    });
  }
});
