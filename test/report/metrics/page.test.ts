import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { OBSERVING, withMetricsTable } from '../../../scripts/pages/metrics-table.js';
import { METRICS } from '../../../src/report/metrics/table.js';

describe('the table of metrics in docs/observing.md', () => {
  it('is what the table in src/report makes of it (node build/scripts/pages/metrics-table.js)', () => {
    const page = readFileSync(OBSERVING, 'utf8');
    expect(withMetricsTable(page)).to.equal(page);
    for (const { name } of METRICS) expect(page).to.include(`| \`socket_tune_${name}`);
  });
});
