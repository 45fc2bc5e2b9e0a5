import { SHOWN_DIGITS } from '../ratio.js';
import type { Cell, Comparison } from '../scenario.js';
import { sizeLabel } from '../scratch.js';

const PLAIN = new Intl.NumberFormat('en', { maximumSignificantDigits: SHOWN_DIGITS });
const COMPACT = new Intl.NumberFormat('en', { maximumSignificantDigits: SHOWN_DIGITS, notation: 'compact' });
const LEAST_COMPACT = 100_000;

export function numberLabel(value: number): string {
  return (Math.abs(value) < LEAST_COMPACT ? PLAIN : COMPACT).format(value);
}

/** Label on the axis: sizes as people write them, other values as numbers. */
export function xLabel({ xTitle }: Pick<Comparison, 'xTitle'>, x: number | string): string {
  if (typeof x === 'string') return x;
  return /\bbytes\b/.test(xTitle) ? sizeLabel(x) : numberLabel(x);
}

/** Short unit, behind a number: `µs` of `µs of CPU a request`. */
export function shortUnit(unit: string): string {
  return unit.split(' ')[0] ?? unit;
}

export function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

/** Text of a table's cell. A missing value is null in a file of results. */
export function cellText(cell: Cell | null): string {
  if (cell === undefined || cell === null) return '–';
  return typeof cell === 'number' ? numberLabel(cell) : cell;
}
