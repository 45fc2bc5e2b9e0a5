import { markdownTable } from 'markdown-table';
import { shareText } from '../ratio.js';
import type { Runs, ScenarioResult } from '../results.js';
import type { Comparison, Table } from '../scenario.js';
import { machineFacts, method } from './circumstances.js';
import { byX, type Figure, figures, hasSpread, isBase } from './figures.js';
import { doubtText, goals, goalsText, losses, lossText, notMeasured } from './findings.js';
import { sentences } from './headline.js';
import { cellText, numberLabel } from './label.js';
import { nameOf } from './names.js';
import { allDifferences, differencesIn, nodeName, type Other, sameOf } from './other-nodes.js';

function cellOf(figure: Figure | undefined): string {
  if (figure === undefined) return '–';
  const spread = hasSpread(figure) ? ` (${numberLabel(figure.least)}–${numberLabel(figure.greatest)})` : '';
  const { toStock, contender } = figure;
  const share = toStock === undefined || isBase(contender) ? '' : `, ${shareText(toStock)}`;
  return `${numberLabel(figure.median)}${spread}${share}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Lines for another Node where it differs: stock and the compared contender. */
function rowOfOther(x: string, shown: readonly string[], comparison: Comparison, other: Other): string[][] {
  const isDifferent = differencesIn(comparison, other.comparison).some(({ here }) => here.xLabel === x);
  if (!isDifferent) return [];
  const theirs = byX(figures(other.comparison)).get(x) ?? [];
  return [[`${x} (${other.node})`, ...shown.map((name) => cellOf(theirs.find(({ contender }) => contender === name)))]];
}

/** Median, spread and share of stock's median, of each contender. */
export function comparisonTable(comparison: Comparison, others: readonly Other[] = []): string {
  const all = figures(comparison);
  const shown = [...new Set(all.map(({ contender }) => contender))];
  const rows = [...byX(all)].flatMap(([x, group]) => [
    [x, ...shown.map((name) => cellOf(group.find(({ contender }) => contender === name)))],
    ...others.flatMap((other) => rowOfOther(x, shown, comparison, other)),
  ]);
  const align = ['l', ...shown.map(() => 'r')];
  return markdownTable(
    [[comparison.xTitle, ...shown.map(nameOf)], ...rows].map((row) => row.map(escapeCell)),
    { align },
  );
}

export function tableText({ title, columns, rows }: Table): string {
  const align = columns.map((_, column) => (rows.some((row) => typeof row[column] === 'number') ? 'r' : 'l'));
  const all = [columns, ...rows.map((row) => row.map(cellText))];
  return `${title}:\n\n${markdownTable(
    all.map((row) => row.map(escapeCell)),
    { align },
  )}`;
}

function comparisonText(comparison: Comparison, runs: Runs): string {
  const { title, what, unit, better } = comparison;
  const table = comparisonTable(comparison, sameOf(runs, comparison));
  return [`### ${title}`, `${what} ${unit}; ${better} is better.`, table].join('\n\n');
}

function scenarioText({ name, what, comparisons, tables, notes }: ScenarioResult, runs: Runs): string {
  const told = notes.map((note) => `- ${note}`).join('\n');
  const compared = comparisons.map((comparison) => comparisonText(comparison, runs));
  const parts = [`## ${name}: ${what}`, ...compared, ...tables.map(tableText), told];
  return parts.filter((part) => part !== '').join('\n\n');
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function shortfalls([results, ...others]: Runs): string {
  const found = goals(results);
  const lost = losses(results);
  const findings = bullets([
    goalsText(found),
    ...lost.clear.map((loss) => `clearly worse: ${lossText(loss)}`),
    ...others.flatMap((other) =>
      losses(other).clear.map((loss) => `clearly worse with ${nodeName(other)}: ${lossText(loss)}`),
    ),
    doubtText(lost),
    ...notMeasured(results),
  ]);
  return [findings, folded('Goals missed', found.missed), folded('Goals that could not be judged', found.tooNoisy)]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** A list that GitHub, npm and editors show on demand. */
function folded(summary: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<details><summary>${summary} (${lines.length})</summary>\n\n${bullets(lines)}\n\n</details>`;
}

function differencesOf(all: readonly string[]): string {
  return all.length === 0 ? 'Nowhere.' : bullets(all);
}

/** Legend for the cells of {@link comparisonTable}. */
export const HOW_TO_READ =
  'In the tables: the median of the rounds (the least and the greatest of them), and what share it is of Node.js’s median';

/** All figures of a run, for reading without a browser. */
export function markdownPage(runs: Runs): string {
  const [results] = runs;
  const different = allDifferences(runs);
  const facts = machineFacts(results).map(([name, value]) => `${name} ${value}`);
  return `${[
    '# socket-tune, measured',
    sentences(results).join(' '),
    `${HOW_TO_READ}.`,
    '## Where it falls short',
    shortfalls(runs),
    ...(runs.length === 1 ? [] : ['## Where another Node differs', differencesOf(different)]),
    '## How, and on what',
    bullets([...method(runs), facts.join('; ')]),
    ...results.scenarios.map((scenario) => scenarioText(scenario, runs)),
  ].join('\n\n')}\n`;
}
