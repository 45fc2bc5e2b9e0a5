import { formatRate } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { HEIGHT, makeChart, WIDTH } from './chart.js';
import { dimmed, fill, html, svg } from './elements.js';
import { sum } from './sum.js';

/** Bytes sent so far, or bytes a second, by path. */
interface ByPath {
  readonly sendfile: number;
  readonly copied: number;
}

/** A minute, at a snapshot a second. */
const MOST_SAMPLES = 60;

/** The top line of an idle process. */
const LEAST_TOP = 1024;

/** Room above and below the lines. */
const HEAD = 16;
const FOOT = 8;

const samples: ByPath[] = [];
let last: { readonly at: number; readonly sent: ByPath } | undefined;

function addSample({ at, report: { files } }: Snapshot): void {
  const sent = { sendfile: files.sendfileBytes, copied: sum(Object.values(files.copiedBytes)) };
  if (last !== undefined && at > last.at) {
    const before = last.sent;
    const seconds = (at - last.at) / 1000;
    // The counters of a process that took over the port start again at 0.
    const rate = (path: keyof ByPath): number => Math.max(0, sent[path] - before[path]) / seconds;
    samples.push({ sendfile: rate('sendfile'), copied: rate('copied') });
    if (samples.length > MOST_SAMPLES) samples.shift();
  }
  last = { at, sent };
}

function yOf(rate: number, top: number): number {
  return HEAD + (HEIGHT - FOOT - HEAD) * (1 - rate / top);
}

/** The newest sample is at the right edge. */
function line(path: keyof ByPath, top: number): string {
  const points = samples.map((sample, index) => {
    const x = WIDTH - ((samples.length - 1 - index) * WIDTH) / (MOST_SAMPLES - 1);
    return `${x.toFixed(1)} ${yOf(sample[path], top).toFixed(1)}`;
  });
  return points.length === 0 ? '' : `M${points.join('L')}`;
}

function gridLine(share: number, top: number): SVGLineElement {
  const y = yOf(top * share, top);
  return svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y });
}

/** Bytes a second of files in the last minute, by path. */
export function showThroughput(snapshot: Snapshot): void {
  addSample(snapshot);
  const top = Math.max(LEAST_TOP, ...samples.flatMap(({ sendfile, copied }) => [sendfile, copied]));
  const chart = makeChart('bytes a second by path', { preserveAspectRatio: 'none' });
  chart.append(
    ...[0, 0.5, 1].map((share) => gridLine(share, top)),
    svg('path', { class: 'line-b', d: line('copied', top) }),
    svg('path', { class: 'line-a', d: line('sendfile', top) }),
  );
  const latest = samples.at(-1) ?? { sendfile: 0, copied: 0 };
  const key = html(
    'div',
    {},
    html('span', { class: 'key' }, `sendfile ${formatRate(latest.sendfile)}`),
    html('span', { class: 'key b' }, `copied ${formatRate(latest.copied)}`),
    dimmed(`top line ${formatRate(top)}, last minute`),
  );
  fill('throughput', chart, key);
}
