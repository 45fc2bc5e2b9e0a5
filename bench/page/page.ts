import type { Results, ScenarioResult } from '../results.js';
import type { Comparison, Table } from '../scenario.js';
import { barChart } from './bars.js';
import { betterText, card } from './card.js';
import { machineFacts, method } from './circumstances.js';
import { goals, losses, lossText } from './findings.js';
import { headline, sentences } from './headline.js';
import { cellText } from './label.js';
import { element, escapeMarkup, list, tableElement } from './markup.js';
import { glossary } from './names.js';
import { STYLE } from './style.js';

const WIDE = 1100;
const NARROW = 370;
const MOST_SHOWN = 6;

function mainChart(chart: Comparison | undefined): string {
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
  );
}

/** The first of a list, and the others for who asks. */
function foldedList(items: readonly string[]): string {
  const rest = items.slice(MOST_SHOWN);
  const more = rest.length === 0 ? '' : element('details', '', `<summary>${rest.length} more</summary>`, list(rest));
  return items.length === 0 ? '' : list(items.slice(0, MOST_SHOWN)) + more;
}

/** What one would look for last on the page of a product, so it is among the first on ours. */
function shortfalls(results: Results): string {
  const { reached, missed, unsettled } = goals(results);
  const { clear, within } = losses(results);
  const told = clear.map((loss) => escapeMarkup(lossText(loss)));
  return element(
    'section',
    'card',
    element('h2', '', 'Where it falls short'),
    element(
      'p',
      '',
      `${reached} of ${reached + missed.length + unsettled} goals that we had set were reached` +
        `${unsettled === 0 ? '' : `, and of ${unsettled} the rounds disagree`}. ${missed.length === 0 ? '' : 'Missed:'}`,
    ),
    missed.length === 0 ? '' : foldedList(missed.map(escapeMarkup)),
    clear.length === 0 ? '' : element('p', '', 'Clearly worse than stock Node.js, by over 5 %:'),
    foldedList(told),
    within === 0
      ? ''
      : element('p', '', `Others that are over 5 % worse, but within the spread of the rounds: ${within}.`),
    ...results.failed.map(({ name, message }) =>
      element('p', 'bad', escapeMarkup(`${name} could not be measured: ${message}`)),
    ),
  );
}

function definitions(pairs: readonly (readonly [string, string])[]): string {
  const items = pairs.map(([name, value]) => `<dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd>`);
  return element('dl', '', ...items);
}

function howMeasured(results: Results): string {
  return element('section', 'card', element('h2', '', 'How it was measured'), list(method(results).map(escapeMarkup)));
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

function scenarioSection({ name, what, comparisons, tables, notes }: ScenarioResult): string {
  const shown = tables.map(tableOf);
  const folded = element('details', '', `<summary>Tables of ${escapeMarkup(name)}</summary>`, ...shown);
  // Where there is no chart, they are all that there is to be seen.
  const details = comparisons.length === 0 || shown.length === 0 ? shown.join('') : folded;
  return [
    `<section id="${escapeMarkup(name)}">`,
    element('h2', '', escapeMarkup(name)),
    element('p', 'dim', escapeMarkup(what)),
    comparisons.length === 0 ? '' : element('div', 'cards', ...comparisons.map(card)),
    list(notes.map(escapeMarkup), 'plain dim'),
    details,
    '</section>',
  ].join('');
}

/** One page that needs nothing else: no script, no font, no network. */
export function htmlPage(results: Results): string {
  const links = results.scenarios.map(({ name }) => `<a href="#${escapeMarkup(name)}">${escapeMarkup(name)}</a>`);
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
      mainChart(headline(results)),
      element('div', 'two', shortfalls(results), howMeasured(results), whoIsCompared(results), machine(results)),
      element('nav', '', 'All measurements: ', ...links),
      ...results.scenarios.map(scenarioSection),
      element('footer', '', 'Made by npx socket-tune bench from results.json, which has every round.'),
    ),
    '</body></html>\n',
  ].join('\n');
}
