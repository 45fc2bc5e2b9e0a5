import type { Results, Runs, ScenarioResult } from '../results.js';
import type { Table } from '../scenario.js';
import { barChart } from './bars.js';
import { betterText, card } from './card.js';
import { machineFacts, method } from './circumstances.js';
import { doubtText, goals, goalsText, losses, lossText, notMeasured } from './findings.js';
import { headline, sentences } from './headline.js';
import { cellText } from './label.js';
import { element, escapeMarkup, list, tableElement } from './markup.js';
import { glossary } from './names.js';
import { allDifferences, differencesText, nodeName, othersOf, othersText, sameOf } from './other-nodes.js';
import { STYLE } from './style.js';

const WIDE = 1100;
const NARROW = 370;
/** What is shown of a list before it is folded: the findings fit one screen. */
const MOST_SHOWN = 3;

function mainChart(runs: Runs): string {
  const chart = headline(runs[0]);
  if (chart === undefined) return '';
  return element(
    'figure',
    'card main-chart',
    element('h3', '', escapeMarkup(chart.title)),
    betterText(chart),
    element('div', 'wide', barChart(chart, WIDE)),
    element('div', 'narrow', barChart(chart, NARROW)),
    element(
      'p',
      '',
      'A percentage is the share of stock Node.js; the thin lines reach from the best to the worst round.',
    ),
    ...differencesText(chart, othersOf(runs, headline)).map((text) => element('p', '', escapeMarkup(text))),
  );
}

/** A part that opens on demand. */
function folded(summary: string, ...content: readonly string[]): string {
  return element('details', '', `<summary>${escapeMarkup(summary)}</summary>`, ...content);
}

/** First entries of a list; the others open on demand. */
function foldedList(items: readonly string[]): string {
  const rest = items.slice(MOST_SHOWN);
  const more = rest.length === 0 ? '' : folded(`${rest.length} more`, list(rest));
  return items.length === 0 ? '' : list(items.slice(0, MOST_SHOWN)) + more;
}

/** A list that opens on demand, or nothing. */
function listOnDemand(summary: string, items: readonly string[]): string {
  return items.length === 0 ? '' : folded(`${summary} (${items.length})`, list(items.map(escapeMarkup)));
}

/** Losses. Products hide them, so they are near the top of our page. */
function shortfalls([results, ...others]: Runs): string {
  const found = goals(results);
  const { missed, tooNoisy } = found;
  const lost = losses(results);
  const told = [
    ...lost.clear.map(lossText),
    ...others.flatMap((other) => losses(other).clear.map((loss) => `${nodeName(other)}: ${lossText(loss)}`)),
  ];
  return element(
    'section',
    'card',
    element('h2', '', 'Where it falls short'),
    element('p', '', goalsText(found)),
    told.length === 0 ? '' : element('p', '', 'Clearly worse than stock Node.js, by over 5 %:'),
    foldedList(told.map(escapeMarkup)),
    ...notMeasured(results).map((text) => element('p', 'bad', escapeMarkup(text))),
    listOnDemand('Goals missed', missed),
    listOnDemand('Goals that could not be judged', tooNoisy),
    element('p', '', doubtText(lost)),
  );
}

function otherNodes(runs: Runs): string {
  const about = othersText(runs);
  if (about === undefined) return '';
  const all = allDifferences(runs);
  const told = all.length === 0 ? element('p', '', 'They differ nowhere.') : foldedList(all.map(escapeMarkup));
  return element(
    'section',
    'card',
    element('h2', '', 'Where another Node differs'),
    element('p', '', escapeMarkup(about)),
    told,
  );
}

function definitions(pairs: readonly (readonly [string, string])[]): string {
  const items = pairs.map(([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd>`);
  return element('dl', '', ...items);
}

function howMeasured(runs: Runs): string {
  return element('section', 'card', element('h2', '', 'How it was measured'), list(method(runs).map(escapeMarkup)));
}

function whoIsCompared(results: Results): string {
  const series = results.scenarios.flatMap(({ comparisons }) => comparisons.flatMap((comparison) => comparison.series));
  const contenders = new Set(series.map(({ contender }) => contender));
  return element('section', 'card', element('h2', '', 'Who is compared'), definitions(glossary(contenders)));
}

function machine(results: Results): string {
  return element('section', 'card', element('h2', '', 'The machine'), definitions(machineFacts(results)));
}

function tableOf({ title, columns, rows }: Table): string {
  return tableElement(
    title,
    columns,
    rows.map((row) => row.map(cellText)),
  );
}

function scenarioSection({ name, what, comparisons, tables, notes }: ScenarioResult, runs: Runs): string {
  const shown = tables.map(tableOf);
  // Without a chart, the tables are all there is to see.
  const hasBoth = comparisons.length > 0 && shown.length > 0;
  const details = hasBoth ? folded(`Tables of ${name}`, ...shown) : shown.join('');
  return [
    `<details class="scenario"><summary><b>${escapeMarkup(name)}</b> ${escapeMarkup(what)}</summary>`,
    // A link to something within leads a browser to open what is folded around it.
    `<section id="${escapeMarkup(name)}">`,
    comparisons.length === 0
      ? ''
      : element('div', 'cards', ...comparisons.map((comparison) => card(comparison, sameOf(runs, comparison)))),
    list(notes.map(escapeMarkup), 'plain dim'),
    details,
    '</section></details>',
  ].join('');
}

/** A self-contained page: no script, no font, no network. */
export function htmlPage(runs: Runs): string {
  const [results] = runs;
  const [first = '', ...others] = sentences(results);
  return [
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>socket-tune, measured</title>',
    `<style>${STYLE}</style></head><body>`,
    element(
      'header',
      '',
      element('h1', '', 'socket-tune, measured'),
      element('p', 'lead', escapeMarkup(first)),
      ...others.map((sentence) => element('p', 'lead', escapeMarkup(sentence))),
    ),
    element(
      'main',
      '',
      mainChart(runs),
      element('div', 'two', shortfalls(runs), otherNodes(runs)),
      folded(
        'How it was measured, who is compared, and the machine',
        howMeasured(runs),
        whoIsCompared(results),
        machine(results),
      ),
      element('h2', '', 'All measurements'),
      ...results.scenarios.map((scenario) => scenarioSection(scenario, runs)),
      element('footer', '', 'Made by npx socket-tune bench from node-*.json beside it, which has every round.'),
    ),
    '</body></html>\n',
  ].join('\n');
}
