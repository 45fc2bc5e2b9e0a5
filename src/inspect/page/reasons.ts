import { formatBytes, formatCount } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { type BarRow, barRows } from './drawing/bar-rows.js';
import { fill, fillEmpty } from './drawing/elements.js';

function rowsOf(
  amounts: Readonly<Record<string, number>>,
  label: (reason: string) => string,
  format: (amount: number) => string,
): BarRow[] {
  return Object.entries(amounts).map(([reason, amount]) => ({ label: label(reason), amount, text: format(amount) }));
}

/** Why streams were not rerouted, and why rerouted ones were copied. Streams and bytes have bars of their own. */
export function showReasons({ report: { files } }: Snapshot): void {
  const streams = rowsOf(
    files.notRerouted,
    (reason) => reason,
    (amount) => `${formatCount(amount)} streams`,
  );
  const bytes = rowsOf(files.copiedBytes, (reason) => `copied: ${reason}`, formatBytes);
  if (streams.length + bytes.length === 0) fillEmpty('reasons', 'No file had to go another way.');
  else fill('reasons', ...barRows(streams, 'b'), ...barRows(bytes, 'b'));
}
