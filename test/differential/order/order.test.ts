import { expect } from 'chai';
import { type Comparison, compare, reroutable } from './compare.js';
import { allValues, covering, DIMENSIONS, titleOf, type Values } from './values.js';

/** The full product is one of the tests of faults: it takes a minute of CPU. */
const SEED = 1;

describe('what an app does after it has piped a file, and before a byte of it can have been read', () => {
  const scenarios = covering(3, SEED);
  let comparison: Comparison;

  before(async function () {
    this.timeout(900_000);
    comparison = await compare(scenarios);
  });

  for (const act of DIMENSIONS.act) {
    it(`has the effect that it has in stock Node: ${act}`, () => {
      expect(scenarios.filter((scenario) => scenario.act === act).length).to.be.above(10);
      const faults = comparison.faults.filter(({ scenario }) => scenario.act === act);
      expect(faults.map(({ message }) => message).join('\n'), `${faults.length} faults`).to.equal('');
    });
  }

  it('happens to files that are rerouted', () => {
    expect(comparison.report?.files.reroutedStreams).to.be.above(reroutable(scenarios) * 0.9);
  });
});

describe('the selection of scenarios', () => {
  it('is the same every time, and has every three values that go together', () => {
    const some = covering(3, SEED);
    const all = allValues();
    expect(some.map(titleOf)).to.deep.equal(covering(3, SEED).map(titleOf));
    expect(some.length).to.be.below(all.length / 5);
    const of = ({ source, delay, act }: Values): string => [source, delay, act].join(', ');
    expect(new Set(some.map(of))).to.deep.equal(new Set(all.map(of)));
  });
});
