import { formatCount, formatTime } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { type BarRow, barRows } from './drawing/bar-rows.js';
import { dimmed, fill, fillEmpty } from './drawing/elements.js';

/** Bounds of the bars, in microseconds, and their labels. */
const BOUNDS: ReadonlyArray<readonly [bound: number, label: string]> = [
  [0, '0'],
  [100, '100 µs'],
  [250, '250 µs'],
  [500, '500 µs'],
  [1000, '1 ms'],
  [2500, '2.5 ms'],
  [5000, '5 ms'],
  [10_000, '10 ms'],
  [25_000, '25 ms'],
  [50_000, '50 ms'],
  [100_000, '100 ms'],
  [250_000, '250 ms'],
  [1_000_000, '1 s'],
];

/** A bar for each pair of bounds, and one for all that is longer. */
function rowsOf(times: readonly number[]): BarRow[] {
  return BOUNDS.map(([least, label], index) => {
    const [limit, limitLabel] = BOUNDS[index + 1] ?? [Number.POSITIVE_INFINITY, undefined];
    const amount = times.filter((time) => time >= least && time < limit).length;
    const name = limitLabel === undefined ? `from ${label}` : `${label} – ${limitLabel}`;
    return { label: name, amount, text: formatCount(amount) };
  });
}

/** The bars from the first to the last that is of something. */
function occupied(rows: readonly BarRow[]): readonly BarRow[] {
  const first = rows.findIndex(({ amount }) => amount > 0);
  const last = rows.findLastIndex(({ amount }) => amount > 0);
  return rows.slice(first, last + 1);
}

/** The time at a share of the sorted times, such as 0.5 for the median. */
function quantile(sorted: readonly number[], share: number): string {
  return formatTime(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
}

/** Round-trip times of the open connections: a histogram. */
export function showRoundTrips({ connections }: Snapshot): void {
  const times = connections.shown.flatMap(({ tcp }) => (tcp === undefined ? [] : [tcp.roundTripTime]));
  if (times.length === 0) return fillEmpty('round-trips', 'No open connections.');
  times.sort((a, b) => a - b);
  const quantiles = `connections by round trip; median ${quantile(times, 0.5)}, 99 of 100 below ${quantile(times, 0.99)}`;
  fill('round-trips', ...barRows(occupied(rowsOf(times)), 'a'), dimmed(quantiles));
}
