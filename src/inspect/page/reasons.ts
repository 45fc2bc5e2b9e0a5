import { formatBytes, formatCount } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { fill, fillEmpty, html } from './elements.js';

/** In percent of the longest bar: the least amount is still seen. */
const LEAST_BAR_WIDTH = 2;

/** A row for each reason. The bars compare amounts of one unit. */
function rows(
  amounts: Readonly<Record<string, number>>,
  label: (reason: string) => string,
  format: (amount: number) => string,
): HTMLElement[] {
  const greatest = Math.max(1, ...Object.values(amounts));
  return Object.entries(amounts).map(([reason, amount]) => {
    const bar = html('i', {});
    bar.style.width = `${Math.max(LEAST_BAR_WIDTH, (100 * amount) / greatest)}%`;
    const cells = [html('span', {}, label(reason)), html('span', {}, bar), html('b', {}, format(amount))];
    return html('div', { class: 'reason' }, ...cells);
  });
}

/** Why streams were not rerouted, and why rerouted ones were copied. */
export function showReasons({ report: { files } }: Snapshot): void {
  const all = [
    ...rows(
      files.notRerouted,
      (reason) => reason,
      (amount) => `${formatCount(amount)} streams`,
    ),
    ...rows(files.copiedBytes, (reason) => `copied: ${reason}`, formatBytes),
  ];
  if (all.length === 0) fillEmpty('reasons', 'No file had to go another way.');
  else fill('reasons', ...all);
}
