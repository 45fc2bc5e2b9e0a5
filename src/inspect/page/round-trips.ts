import { formatTime } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { HEIGHT, makeChart, WIDTH } from './chart.js';
import { dimmed, fill, fillEmpty, svg } from './elements.js';

/** What each bar is below, in microseconds, and its label. */
const BAR_LIMITS: ReadonlyArray<readonly [limit: number, label: string]> = [
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
  [Number.POSITIVE_INFINITY, 'more'],
];

const STEP = WIDTH / BAR_LIMITS.length;
const GAP = 4;
/** Where bars stand. The labels are below. */
const GROUND = HEIGHT - 22;
const TALLEST_BAR = HEIGHT - 40;
/** A bar of one among thousands is still seen. */
const LEAST_BAR = 2;

/** How many of the times are in each bar. */
function amountsOf(times: readonly number[]): number[] {
  return BAR_LIMITS.map(([limit], index) => {
    const [least] = BAR_LIMITS[index - 1] ?? [0];
    return times.filter((time) => time >= least && time < limit).length;
  });
}

function text(index: number, y: number, content: string): SVGTextElement {
  return svg('text', { x: (index + 0.5) * STEP, y, 'text-anchor': 'middle' }, content);
}

function bar(index: number, amount: number, greatest: number): SVGElement[] {
  if (amount === 0) return [];
  const y = GROUND - (TALLEST_BAR * amount) / greatest;
  const height = Math.max(GROUND - y, LEAST_BAR);
  return [
    svg('rect', { class: 'bar', x: index * STEP + GAP, width: STEP - 2 * GAP, y, height, rx: 2 }),
    text(index, y - 5, String(amount)),
  ];
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
  const amounts = amountsOf(times);
  const greatest = Math.max(...amounts);
  const chart = makeChart('round-trip times');
  chart.append(
    ...amounts.flatMap((amount, index) => bar(index, amount, greatest)),
    ...BAR_LIMITS.map(([, label], index) => text(index, HEIGHT - 6, label)),
  );
  const quantiles = `median ${quantile(times, 0.5)}, 99 of 100 below ${quantile(times, 0.99)}`;
  fill('round-trips', chart, dimmed(`${quantiles}; bars: below the time under them`));
}
