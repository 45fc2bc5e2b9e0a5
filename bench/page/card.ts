import { shareText } from '../ratio.js';
import type { Comparison } from '../scenario.js';
import { barChart } from './bars.js';
import { curveChart } from './curve.js';
import { type Figure, figures, hasSpread, isBase } from './figures.js';
import { numberLabel } from './label.js';
import { type Look, looksOf, markPath } from './looks.js';
import { element, escapeMarkup, list, tableElement } from './markup.js';
import { nameOf } from './names.js';
import { differencesText, type Other } from './other-nodes.js';

/** Width of a telephone, so that nothing shrinks there. */
const WIDTH = 380;

export function betterText({ unit, better }: Comparison): string {
  const arrow = better === 'lower' ? '↓' : '↑';
  return element('p', 'better', element('b', '', `${arrow} ${better} is better`), ` · ${escapeMarkup(unit)}`);
}

function swatch({ colour, mark, isMain }: Look): string {
  const line = `<path d="M0,6H22" stroke="${colour}" stroke-width="${isMain ? 2.5 : 1.25}"/>`;
  return `<svg viewBox="0 0 22 12" aria-hidden="true">${line}<path transform="translate(11,6)" d="${markPath(mark)}" fill="${colour}"/></svg>`;
}

/** Bars have names beside them; curves need a legend. */
function legend(comparison: Comparison, contenders: readonly string[]): string {
  const look = looksOf(comparison.series.map(({ contender }) => contender));
  const names = contenders.map((name) => {
    const shown = escapeMarkup(nameOf(name));
    const text = look(name).isMain ? element('b', '', shown) : shown;
    return swatch(look(name)) + text;
  });
  return list(names, 'legend');
}

function rowOf({ xLabel, contender, ...figure }: Figure): string[] {
  const { median, least, greatest, toStock, rounds } = figure;
  const spread = hasSpread({ xLabel, contender, ...figure }) ? `${numberLabel(least)} – ${numberLabel(greatest)}` : '–';
  const share = toStock === undefined || isBase(contender) ? '–' : shareText(toStock);
  return [xLabel, nameOf(contender), numberLabel(median), spread, share, String(rounds)];
}

function figuresTable(comparison: Comparison, all: readonly Figure[]): string {
  const heads = [comparison.xTitle, 'contender', 'median', 'least – greatest', 'of stock', 'rounds'];
  return element('details', '', '<summary>Figures</summary>', tableElement('', heads, all.map(rowOf)));
}

/** One comparison: its subject, its chart, and its figures on demand. */
export function card(comparison: Comparison, others: readonly Other[]): string {
  const all = figures(comparison);
  const head = [
    element('h3', '', escapeMarkup(comparison.title)),
    element('p', '', escapeMarkup(comparison.what)),
    betterText(comparison),
  ];
  if (all.length === 0) return element('figure', 'card', ...head, element('p', '', 'Nothing was measured.'));
  const isCurve = comparison.kind === 'curve' && all.every(({ x }) => typeof x === 'number');
  const contenders = [...new Set(all.map(({ contender }) => contender))];
  const chart = isCurve ? curveChart(comparison, WIDTH) : barChart(comparison, WIDTH);
  return element(
    'figure',
    'card',
    ...head,
    element('div', 'chart', chart),
    isCurve ? legend(comparison, contenders) : '',
    ...differencesText(comparison, others).map((text) => element('p', '', escapeMarkup(text))),
    figuresTable(comparison, all),
  );
}
