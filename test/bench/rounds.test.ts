import { expect } from 'chai';
import { checkRounds, interleave } from '../../bench/rounds.js';
import type { Series } from '../../bench/scenario.js';
import { FILES_CPU } from './sample-results.js';

describe('the rounds of the benchmarks', () => {
  it('go forwards and backwards, and the first does not count', async () => {
    const order: string[] = [];
    let time = 0;
    const samples = await interleave(['a', 'b'], 3, (name) => {
      order.push(name);
      return time++;
    });
    expect(order.join('')).to.equal('abbaabba');
    expect(samples).to.deep.equal([
      [3, 4, 7],
      [2, 5, 6],
    ]);
  });

  it('are three at least, of all that was measured', () => {
    const check =
      (samples: readonly number[], more: Partial<Series> = {}) =>
      () => {
        const series = [{ contender: 'tuned', points: [{ x: 'here', samples }], ...more }];
        checkRounds({ tables: [], comparisons: [{ ...FILES_CPU, series }], notes: [] });
      };
    expect(check([1, 2])).to.throw('files-cpu: tuned has 2 rounds at here, of 3 at least');
    for (const enough of [check([1, 2, 3]), check([]), check([1], { isQuoted: true })]) expect(enough).not.to.throw();
  });
});
