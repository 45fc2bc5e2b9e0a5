/**
 * What is made from the last runs of the benchmarks, bench/results/node-*.json: the README's figures, its picture, docs/costs.md, docs/presets.md,
 * and the pages beside the results. The newest Node is the one that they are about; others stand beside it where they differ.
 * link-sizes.json has a part of docs/presets.md; deploys.json has the restarts of the picture and of docs/requests.md. Run as a script, it makes them anew; with --check it writes nothing, and names what is not as it
 * would be made.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { goals, goalsText, losses, lossText } from '../../bench/page/findings.js';
import { headline, inFigures } from '../../bench/page/headline.js';
import { comparisonTable } from '../../bench/page/markdown.js';
import { allDifferences, othersOf, othersText } from '../../bench/page/other-nodes.js';
import { standalonePicture } from '../../bench/page/picture.js';
import { pagesFrom, type Results, type Runs, readResults, readRuns } from '../../bench/results.js';
import { deploysTable, lostAtDeploys } from '../deploys.js';
import { costsPage } from './costs-page.js';
import { helpTable } from './help-table.js';
import { presetsPage } from './presets-page.js';
import { Section } from './section.js';

const ROOT = new URL('../../../', import.meta.url);
const FIGURES = new Section('figures', 'bench-figures');
const HELP = new Section('help', 'help-table');

/** Where runs of the benchmarks are kept. */
export const RESULTS = fileURLToPath(new URL('bench/results', ROOT));

/** Where one of `--only link-sizes` is kept. */
const SIZES = fileURLToPath(new URL('bench/results/link-sizes.json', ROOT));

/** Where one of `--only drain --only drain-proxies --only drain-clusters` is kept. */
const DEPLOYS = fileURLToPath(new URL('bench/results/deploys.json', ROOT));

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

/** A document with the figures in their place. */
function withFigures(file: string, figures: string): string {
  return FIGURES.in(readFileSync(file, 'utf8'), figures);
}

function footOf({ machine: { kernel, node }, date }: Results, command: string, load: string): string {
  return `${command}: Linux ${kernel}, Node ${node}, ${load}, ${date.slice(0, 10)}`;
}

function picture([results]: Runs, deploys: Results): string {
  const chart = headline(results);
  if (chart === undefined) throw new Error('the results have no CPU time by the size of the file');
  return standalonePicture([
    { comparison: chart, foot: footOf(results, 'npm run bench', '8 connections') },
    {
      comparison: lostAtDeploys(deploys),
      foot: footOf(deploys, 'npm run bench -- --only drain', '50 clients, 20,000 requests and more'),
    },
  ]);
}

/** All that is kept. */
export interface Kept {
  readonly runs: Runs;
  /** Of the scenario link-sizes. */
  readonly sizes: Results;
  /** Of the scenarios of restarts. */
  readonly deploys: Results;
}

/** Each file that is made, and what it is to hold. */
export function madeFrom({ runs, sizes, deploys }: Kept): Map<string, string> {
  const path = (name: string): string => fileURLToPath(new URL(name, ROOT));
  const [readme, requests] = [path('README.md'), path('docs/requests.md')];
  return new Map([
    [readme, HELP.in(withFigures(readme, figuresText(runs)), helpTable(runs[0]))],
    [path('docs/gain.svg'), picture(runs, deploys)],
    [path('docs/costs.md'), costsPage(runs)],
    [path('docs/presets.md'), presetsPage(runs, sizes)],
    [requests, withFigures(requests, deploysTable(deploys))],
    ...Object.entries(pagesFrom(runs)).map(([name, text]): [string, string] => [path(`bench/results/${name}`), text]),
  ]);
}

/** What bench/results has. */
export function kept(): Kept {
  return { runs: readRuns(RESULTS), sizes: readResults(SIZES), deploys: readResults(DEPLOYS) };
}

function made(): Map<string, string> {
  return madeFrom(kept());
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
