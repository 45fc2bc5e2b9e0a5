import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Results } from '../../bench/results.js';
import { kept, madeFrom } from '../../scripts/pages/bench-figures.js';

const README = fileURLToPath(new URL('../../../README.md', import.meta.url));

const SCRIPT = fileURLToPath(new URL('../../scripts/pages/bench-figures.js', import.meta.url));

/** As if nothing had been lost, and everything answered. */
function withoutLosses(deploys: Results): Results {
  const scenarios = deploys.scenarios.map((scenario) => ({
    ...scenario,
    tables: scenario.tables.map((table) => ({
      ...table,
      rows: table.rows.map(([server, how, ...counts]) => [server, how, ...counts.map(() => 0)]),
    })),
  }));
  return { ...deploys, scenarios };
}

describe('what is made from the last run of the benchmarks', () => {
  it('is what bench/results makes of it: README, picture, docs/presets.md and pages (npm run bench:figures)', () => {
    // In a process of its own, as the library of the charts draws half a pixel aside where it finds a global `it`.
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('has goals that add up', () => {
    const text = readFileSync(README, 'utf8');
    const sum = /Of (\d+) goals that we had set, (\d+) were reached, (\d+) missed, and (\d+) could not/.exec(text);
    const [all, ...parts] = (sum ?? []).slice(1).map(Number);
    expect(parts).to.have.length(3);
    expect(parts.reduce((total, part) => total + part, 0)).to.equal(all);
  });

  it('follows the results', () => {
    const all = kept();
    const now = madeFrom(all);
    expect([...now.keys()].map((file) => file.replace(/.*\//, ''))).to.deep.equal([
      'README.md',
      'gain.svg',
      'costs.md',
      'presets.md',
      'requests.md',
      'results.md',
      'index.html',
    ]);
    const [results, ...others] = all.runs;
    const other = madeFrom({
      runs: [{ ...results, machine: { ...results.machine, kernel: '9.9.9' } }, ...others],
      sizes: all.sizes,
      deploys: withoutLosses(all.deploys),
    });
    for (const [file, content] of now) expect(other.get(file), file).not.to.equal(content);
  });
});
