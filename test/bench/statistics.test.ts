import { expect } from 'chai';
import { figures } from '../../bench/page/figures.js';
import { median, percentile } from '../../bench/statistics.js';
import { FILES_CPU } from './sample-results.js';

describe('the statistics of the benchmarks', () => {
  it('take the middle, between the two middle ones where their number is even', () => {
    expect(median([5, 1, 100])).to.equal(5);
    expect(median([1, 2, 4, 100])).to.equal(3);
    expect(percentile([10, 20, 30, 40, 50], 0.99)).to.be.closeTo(49.6, 1e-9);
    expect(median([])).to.be.NaN;
  });

  it('leave out rounds that have no figure, without pairing the others anew', () => {
    const samples = { stock: [10, null, 30, 40], tuned: [5, 7, null, 20] };
    const series = Object.entries(samples).map(([contender, values]) => ({
      contender,
      points: [{ x: 1024, samples: values }],
    }));
    // As a file of results has it: JSON has no other word for what is no number.
    const [, tuned] = figures(JSON.parse(JSON.stringify({ ...FILES_CPU, series })));
    expect(tuned).to.include({ xLabel: '1 KB', median: 7, least: 5, greatest: 20, rounds: 3 });
    expect(tuned?.toStock).to.deep.equal({ value: 7 / 30, rounds: [0.5, 0.5] });
  });
});
