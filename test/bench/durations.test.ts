import { expect } from 'chai';
import { Countdown, hasDuration } from '../../bench/durations.js';
import { frameworks } from '../../bench/frameworks/scenario.js';
import { leavingScenarios } from '../../bench/leaving/scenario.js';
import { SCENARIOS } from '../../bench/scenarios.js';

describe('what is left of a run', () => {
  it('is known of every scenario', () => {
    expect(
      [frameworks, ...SCENARIOS, ...leavingScenarios].filter(({ name }) => !hasDuration(name)).map(({ name }) => name),
    ).to.deep.equal([]);
  });

  it('names the place, and counts on a machine that was slow to stay so', () => {
    const countdown = new Countdown(['start-up', 'tcp-info'], false);
    const [start, last] = [countdown.line('start-up'), countdown.line('tcp-info')];
    expect(start).to.match(/^\[1 of 2\] start-up: about \d+ s; then 1 more, about \d+ s \(on an idle machine\)$/);
    expect(last).to.match(/^\[2 of 2\] tcp-info: about 1 s \(on an idle machine\)$/);
    countdown.done('start-up', 1000);
    expect(countdown.line('tcp-info')).to.match(/ s$/);
    const seconds = Number(/about (\d+) s/.exec(countdown.line('tcp-info'))?.[1]);
    expect(seconds).to.be.greaterThan(50);
  });
});
