/**
 * What is made from the last run of the benchmarks, bench/results/results.json: the README's figures, its picture, docs/presets.md
 * (also from bench/results/link-sizes.json), and the pages beside the results. Run as a script, it makes them anew; with --check it writes nothing, and names what is not as it would be made.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { goals, losses } from '../bench/page/findings.js';
import { headline, inFigures } from '../bench/page/headline.js';
import { comparisonTable } from '../bench/page/markdown.js';
import { standalonePicture } from '../bench/page/picture.js';
import { pagesFrom, type Results, readResults } from '../bench/results.js';
import { presetsPage } from './presets-page.js';

const ROOT = new URL('../../', import.meta.url);
const BEGIN = '<!-- figures: made by scripts/bench-figures.ts -->';
const END = '<!-- /figures -->';

/** Where a run of the benchmarks is kept. */
export const RESULTS = fileURLToPath(new URL('bench/results/results.json', ROOT));

/** Where one of `--only link-sizes` is kept. */
export const SIZES = fileURLToPath(new URL('bench/results/link-sizes.json', ROOT));

const OF_LINE = 'The median of the rounds (the least and the greatest), and the share of Node.js’s';

function figuresText(results: Results): string {
  const chart = headline(results);
  const told = inFigures(chart);
  if (chart === undefined || told === undefined)
    throw new Error('the results have no CPU time by the size of the file');
  const { machine, date, quick } = results;
  const { reached, missed, unsettled } = goals(results);
  const { clear } = losses(results);
  const where = `${machine.cores} × ${machine.cpu}${machine.isVirtual ? ' (virtual)' : ''}, Linux ${machine.kernel}, Node ${machine.node}`;
  return [
    told,
    `${chart.title}, in ${chart.unit}; lower is better. ${OF_LINE}; ${where}, ${date.slice(0, 10)}${quick ? ', a quick run' : ''}:`,
    comparisonTable(chart),
    `Of ${reached + missed.length + unsettled} goals ${reached} were reached, and ${missed.length} missed; in ${clear.length} ${clear.length === 1 ? 'comparison' : 'comparisons'} a tuned app was clearly worse than Node.js alone. ` +
      '[All results](bench/results/results.md) name them first.',
  ].join('\n\n');
}

/** A text with the figures in their place. */
function withFigures(text: string, results: Results): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`no place for the figures: ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${figuresText(results)}\n\n${text.slice(end)}`;
}

function picture(results: Results): string {
  const chart = headline(results);
  if (chart === undefined) throw new Error('the results have no CPU time by the size of the file');
  const { kernel, node } = results.machine;
  return standalonePicture(
    chart,
    `npm run bench: Linux ${kernel}, Node ${node}, 8 connections, ${results.date.slice(0, 10)}`,
  );
}

/** Each file that is made, and what it is to hold. */
export function madeFrom(results: Results, sizes: Results): Map<string, string> {
  const path = (name: string): string => fileURLToPath(new URL(name, ROOT));
  const readme = path('README.md');
  return new Map([
    [readme, withFigures(readFileSync(readme, 'utf8'), results)],
    [path('docs/gain.svg'), picture(results)],
    [path('docs/presets.md'), presetsPage(results, sizes)],
    ...Object.entries(pagesFrom(results)).map(([name, text]): [string, string] => [
      path(`bench/results/${name}`),
      text,
    ]),
  ]);
}

function made(): Map<string, string> {
  return madeFrom(readResults(RESULTS), readResults(SIZES));
}

function write(): void {
  for (const [file, content] of made()) writeFileSync(file, content);
}

function check(): void {
  for (const [file, content] of made()) {
    if (existsSync(file) && readFileSync(file, 'utf8') === content) continue;
    console.error(`${file} is not what bench/results makes of it: npm run bench:figures`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--check') check();
  else write();
}
