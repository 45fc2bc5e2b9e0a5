import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { readResults, readRuns } from '../../bench/results.js';
import { madeFrom, RESULTS, SIZES } from '../../scripts/bench-figures.js';

const README = fileURLToPath(new URL('../../../README.md', import.meta.url));

/** `6,640 (4,870–7,500)`, `115K`. */
function figureIn(cell: string): number {
  const [, digits = '', unit = ''] = /^([\d.,]+)([KM]?)/.exec(cell) ?? [];
  return Number(digits.replaceAll(',', '')) * ({ K: 1e3, M: 1e6 }[unit] ?? 1);
}

const SCRIPT = fileURLToPath(new URL('../../scripts/bench-figures.js', import.meta.url));

describe('what is made from the last run of the benchmarks', () => {
  it('is what bench/results makes of it: README, picture, docs/presets.md and pages (npm run bench:figures)', () => {
    // In a process of its own, as the library of the charts draws half a pixel aside where it finds a global `it`.
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
  });

  it('has shares that whoever divides the figures of a row finds', () => {
    const readme = readFileSync(README, 'utf8');
    const rows = readme.split('\n').filter((line) => /^\| [\d.]+ [KMG]B .*%/.test(line));
    expect(rows).to.have.length.greaterThan(3);
    for (const row of rows) {
      const [, , stock = '', ...others] = row.split('|').map((cell) => cell.trim());
      for (const cell of others.filter((text) => text.includes('%'))) {
        const share = Number(/(\d+) %/.exec(cell)?.[1]);
        // Each is rounded to three digits.
        expect((figureIn(cell) / figureIn(stock)) * 100, row).to.be.closeTo(share, 0.5 + share * 0.01);
      }
    }
  });

  it('has goals that add up', () => {
    const text = readFileSync(README, 'utf8');
    const sum = /Of (\d+) goals that we had set, (\d+) were reached, (\d+) missed, and (\d+) could not/.exec(text);
    const [all, ...parts] = (sum ?? []).slice(1).map(Number);
    expect(parts).to.have.length(3);
    expect(parts.reduce((total, part) => total + part, 0)).to.equal(all);
  });

  it('follows the results', () => {
    const [results, ...others] = readRuns(RESULTS);
    const sizes = readResults(SIZES);
    const now = madeFrom([results, ...others], sizes);
    expect([...now.keys()].map((file) => file.replace(/.*\//, ''))).to.deep.equal([
      'README.md',
      'gain.svg',
      'presets.md',
      'results.md',
      'index.html',
    ]);
    const other = madeFrom([{ ...results, machine: { ...results.machine, kernel: '9.9.9' } }, ...others], sizes);
    for (const [file, content] of now) expect(other.get(file), file).not.to.equal(content);
  });
});
