import { expect } from 'chai';
import { type Figures, toTable } from '../../bench/link/figures.js';
import { CONTENDERS } from '../../bench/link/lane.js';
import type { Cell } from '../../bench/scenario.js';

const ABOUT = {
  id: 'waits',
  title: 'Waits',
  what: 'How long it takes.',
  unit: 'ms',
  better: 'lower',
  kind: 'bars',
  xTitle: 'path',
} as const;

const EVEN = [10, 10, 10, 10, 10, 10];

describe('the figures across links', () => {
  /** What a table says of presets with these rounds, by the column. */
  function told(presets: readonly (readonly number[])[], more: Partial<Figures> = {}): Record<string, Cell> {
    const stock = EVEN.slice(0, presets[0]?.length);
    const { columns, rows } = toTable({ ...ABOUT, ...more, rows: [{ x: 'here', samples: [stock, ...presets] }] });
    return Object.fromEntries(columns.map((column, index) => [column, rows[0]?.[index]]));
  }

  it('say of each preset how slow it is beside stock, and judge the slowest', () => {
    const lower = told([EVEN, [8, 8, 8, 8, 8, 8], [10.4, 10.4, 10.4, 10.4, 10.4, 10.4]]);
    expect(Object.keys(lower)).to.include.members([...CONTENDERS, 'the slowest', 'goal']);
    expect(lower).to.include({ 'default/stock': 1, 'lowlatency/stock': 0.8, 'the slowest': 1.04 });
    expect(lower).to.include({ goal: '<= 1.05: reached' });
    const higher = told([EVEN, [8, 8, 8, 8, 8, 8], EVEN], { better: 'higher' });
    expect(higher).to.include({ 'stock/lowlatency': 1.25, 'the slowest': 1.25, goal: '<= 1.05: MISSED' });
  });

  it('take for missed only what nearly all rounds agree on', () => {
    const missed = (samples: readonly number[]): Cell =>
      told([EVEN, samples, EVEN].map((all) => all.slice(0, samples.length))).goal;
    expect(missed([12, 11, 13, 12, 11, 12])).to.equal('<= 1.05: MISSED');
    expect(missed([12, 11, 9, 12, 11, 9])).to.equal(
      '<= 1.05: too noisy (medians say missed, 1.1; fewer than nine rounds of ten do)',
    );
    expect(missed([9, 11, 9, 12, 10, 9])).to.equal('<= 1.05: reached');
    expect(missed([20]), 'a single round').to.equal(
      '<= 1.05: too noisy (medians say missed, 2; too few rounds (1) to be sure)',
    );
  });

  it('judge nothing that has no goal', () => {
    expect(told([EVEN, EVEN, EVEN], { isAside: true })).not.to.have.any.keys('the slowest', 'goal');
  });
});
