import { html } from './elements.js';

/** One bar: what it is of, how long it is, and its amount in words. */
export interface BarRow {
  readonly label: string;
  readonly amount: number;
  readonly text: string;
}

/** In percent of the longest bar: the least amount is still seen. */
const LEAST_BAR_WIDTH = 2;

/** Bars below each other, which compare amounts of one unit. The text beside a bar needs no axis, and is readable at any width. */
export function barRows(rows: readonly BarRow[], colour: 'a' | 'b'): HTMLElement[] {
  const greatest = Math.max(1, ...rows.map(({ amount }) => amount));
  return rows.map(({ label, amount, text }) => {
    const bar = html('i', { class: colour });
    const share = (100 * amount) / greatest;
    bar.style.width = `${amount === 0 ? 0 : Math.max(LEAST_BAR_WIDTH, share)}%`;
    return html('div', { class: 'bar-row' }, html('span', {}, label), html('span', {}, bar), html('b', {}, text));
  });
}
