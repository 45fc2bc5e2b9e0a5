/**
 * What is made from the last runs of the benchmarks, bench/results/node-*.json: the README's figures, its picture, docs/costs.md, docs/presets.md
 * (also from bench/results/link-sizes.json), and the pages beside the results. The newest Node is the one that they are about; others
 * stand beside it where they differ. Run as a script, it makes them anew; with --check it writes nothing, and names what is not as it
 * would be made.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { goals, goalsText, losses, lossText } from '../bench/page/findings.js';
import { headline, inFigures } from '../bench/page/headline.js';
import { comparisonTable } from '../bench/page/markdown.js';
import { allDifferences, othersOf, othersText } from '../bench/page/other-nodes.js';
import { standalonePicture } from '../bench/page/picture.js';
import { pagesFrom, type Results, type Runs, readResults, readRuns } from '../bench/results.js';
import { costsPage } from './costs-page.js';
import { presetsPage } from './presets-page.js';

const ROOT = new URL('../../', import.meta.url);
const BEGIN = '<!-- figures: made by scripts/bench-figures.ts -->';
const END = '<!-- /figures -->';

/** Where runs of the benchmarks are kept. */
export const RESULTS = fileURLToPath(new URL('bench/results', ROOT));

/** Where one of `--only link-sizes` is kept. */
export const SIZES = fileURLToPath(new URL('bench/results/link-sizes.json', ROOT));

const OF_LINE = 'The median of the rounds (the least and the greatest), and what share it is of Node.js’s median';

/** What other Nodes say of it. */
function othersParagraph(runs: Runs): string[] {
  const about = othersText(runs);
  if (about === undefined) return [];
  const { length } = allDifferences(runs);
  return [`${about} ${length === 0 ? 'They differ nowhere.' : 'bench/results of the repository names where they do.'}`];
}

/** Where a reader would lose: each of them, or the worst. */
function lossesText(results: Results): string[] {
  const { clear } = losses(results);
  if (clear.length === 0)
    return ['Nowhere was a tuned app clearly worse than Node.js alone (by over 5 %, in every round).'];
  const more = clear.length - MOST_LOSSES;
  const told = clear.slice(0, MOST_LOSSES).map((loss) => `- ${lossText(loss)}`);
  if (more > 0) told.push(`- and in ${more} more comparisons`);
  return ['Clearly worse than Node.js alone, by over 5 % and in every round:', told.join('\n')];
}

const MOST_LOSSES = 5;

function figuresText(runs: Runs): string {
  const [results] = runs;
  const chart = headline(results);
  const told = inFigures(chart);
  if (chart === undefined || told === undefined)
    throw new Error('the results have no CPU time by the size of the file');
  const { machine, date, quick } = results;
  const where = `${machine.cores} × ${machine.cpu}${machine.isVirtual ? ' (virtual)' : ''}, Linux ${machine.kernel}, Node ${machine.node}`;
  return [
    told,
    `${chart.title}, in ${chart.unit}; lower is better. ${OF_LINE}; ${where}, ${date.slice(0, 10)}${quick ? ', a quick run' : ''}:`,
    comparisonTable(chart, othersOf(runs, headline)),
    ...othersParagraph(runs),
    `${goalsText(goals(results))} bench/results of the repository names them first.`,
    ...lossesText(results),
  ].join('\n\n');
}

/** A text with the figures in their place. */
function withFigures(text: string, runs: Runs): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`no place for the figures: ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${figuresText(runs)}\n\n${text.slice(end)}`;
}

function picture([results]: Runs): string {
  const chart = headline(results);
  if (chart === undefined) throw new Error('the results have no CPU time by the size of the file');
  const { kernel, node } = results.machine;
  return standalonePicture(
    chart,
    `npm run bench: Linux ${kernel}, Node ${node}, 8 connections, ${results.date.slice(0, 10)}`,
  );
}

/** Each file that is made, and what it is to hold. */
export function madeFrom(runs: Runs, sizes: Results): Map<string, string> {
  const path = (name: string): string => fileURLToPath(new URL(name, ROOT));
  const readme = path('README.md');
  return new Map([
    [readme, withFigures(readFileSync(readme, 'utf8'), runs)],
    [path('docs/gain.svg'), picture(runs)],
    [path('docs/costs.md'), costsPage(runs)],
    [path('docs/presets.md'), presetsPage(runs, sizes)],
    ...Object.entries(pagesFrom(runs)).map(([name, text]): [string, string] => [path(`bench/results/${name}`), text]),
  ]);
}

function made(): Map<string, string> {
  return madeFrom(readRuns(RESULTS), readResults(SIZES));
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
