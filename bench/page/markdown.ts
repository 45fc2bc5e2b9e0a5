import { markdownTable } from 'markdown-table';
import type { Results, ScenarioResult } from '../results.js';
import type { Comparison, Table } from '../scenario.js';
import { machineFacts, method } from './circumstances.js';
import { byX, type Figure, figures, hasSpread, isBase } from './figures.js';
import { goals, losses, lossText } from './findings.js';
import { sentences } from './headline.js';
import { cellText, numberLabel, ratioLabel } from './label.js';
import { nameOf } from './names.js';

function cellOf(figure: Figure | undefined): string {
  if (figure === undefined) return '–';
  const spread = hasSpread(figure) ? ` (${numberLabel(figure.least)}–${numberLabel(figure.greatest)})` : '';
  const { toStock, contender } = figure;
  const share = toStock === undefined || isBase(contender) ? '' : `, ${ratioLabel(toStock)}`;
  return `${numberLabel(figure.median)}${spread}${share}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** Median, spread, and the share of stock's, of each contender. */
export function comparisonTable(comparison: Comparison, contenders?: readonly string[]): string {
  const all = figures(comparison);
  const measured = [...new Set(all.map(({ contender }) => contender))];
  const shown = contenders === undefined ? measured : contenders.filter((name) => measured.includes(name));
  const rows = [...byX(all)].map(([x, group]) => [
    x,
    ...shown.map((name) => cellOf(group.find(({ contender }) => contender === name))),
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

function comparisonText(comparison: Comparison): string {
  const { title, what, unit, better } = comparison;
  return [`### ${title}`, `${what} ${unit}; ${better} is better.`, comparisonTable(comparison)].join('\n\n');
}

function scenarioText({ name, what, comparisons, tables, notes }: ScenarioResult): string {
  const told = notes.map((note) => `- ${note}`).join('\n');
  const parts = [`## ${name}: ${what}`, ...comparisons.map(comparisonText), ...tables.map(tableText), told];
  return parts.filter((part) => part !== '').join('\n\n');
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function shortfalls(results: Results): string {
  const { reached, missed, unsettled } = goals(results);
  const { clear, within } = losses(results);
  return bullets([
    ...missed,
    `${reached} goals were reached, ${missed.length} missed, and of ${unsettled} the rounds disagree`,
    ...clear.map(lossText),
    `others that are over 5 % worse than stock, but within the spread of the rounds: ${within}`,
    ...results.failed.map(({ name, message }) => `${name} could not be measured: ${message}`),
  ]);
}

/** All figures of a run, to be read without a browser. */
export function markdownPage(results: Results): string {
  const facts = machineFacts(results).map(([name, value]) => `${name} ${value}`);
  return `${[
    '# socket-tune, measured',
    sentences(results).join(' '),
    'In the tables: the median of the rounds (the least and the greatest of them), and the median of the ratios to stock.',
    '## Where it falls short',
    shortfalls(results),
    '## How, and on what',
    bullets([...method(results), facts.join('; ')]),
    ...results.scenarios.map(scenarioText),
  ].join('\n\n')}\n`;
}
