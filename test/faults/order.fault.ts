import { expect } from 'chai';
import { compare, reroutable } from '../differential/order/compare.js';
import { allValues, covering } from '../differential/order/values.js';
import { selection } from './effort.js';
import { tallyFigures } from './tally.js';

describe('what an app does after it has piped a file, in every combination', () => {
  it('has the effect that it has in stock Node', async () => {
    const scenarios = selection(allValues(), covering(3, 2));
    const { faults, varying, report } = await compare(scenarios);
    tallyFigures(
      'changes of mind after pipe()',
      scenarios.length,
      `${faults.length} unlike stock, ${varying} that vary in stock`,
    );
    expect(faults.map(({ message }) => message).join('\n'), `${faults.length} faults`).to.equal('');
    expect(report?.files.reroutedStreams).to.be.above(reroutable(scenarios) * 0.9);
  });
});
