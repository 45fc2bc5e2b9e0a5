import { formatRate } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { HEIGHT, makeChart, widthOf } from './drawing/chart.js';
import { fill, html, svg } from './drawing/elements.js';
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

/** Room around the lines, in pixels: for labels of the rates on the left, and of the time below. */
const HEAD = 10;
const FOOT = 22;
const LEFT = 76;
const RIGHT = 6;

/** From a label to what it is a label of, in pixels. */
const GAP = 6;

/** Half the height of a digit, so that a label stands in the middle of its line. */
const HALF_DIGIT = 4;

/** Where the time is labelled: a share of the width, and the text there. */
const TIMES = [
  [0, '60 s ago', 'start'],
  [0.5, '30 s ago', 'middle'],
  [1, 'now', 'end'],
] as const;

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

function xOf(share: number, width: number): number {
  return LEFT + (width - LEFT - RIGHT) * share;
}

/** The newest sample is at the right edge. */
function line(path: keyof ByPath, top: number, width: number): string {
  const points = samples.map((sample, index) => {
    const x = xOf(1 - (samples.length - 1 - index) / (MOST_SAMPLES - 1), width);
    return `${x.toFixed(1)} ${yOf(sample[path], top).toFixed(1)}`;
  });
  return points.length === 0 ? '' : `M${points.join('L')}`;
}

/** A line across the chart, and the rate that it stands for. */
function rateLine(rate: number, top: number, width: number): SVGElement[] {
  const y = yOf(rate, top);
  return [
    svg('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y, y2: y }),
    svg('text', { x: LEFT - GAP, y: y + HALF_DIGIT, 'text-anchor': 'end' }, formatRate(rate)),
  ];
}

function timeLabels(width: number): SVGElement[] {
  return TIMES.map(([share, text, anchor]) =>
    svg('text', { x: xOf(share, width), y: HEIGHT - GAP, 'text-anchor': anchor }, text),
  );
}

/** Bytes a second of files in the last minute, by path. */
export function showThroughput(snapshot: Snapshot): void {
  addSample(snapshot);
  const top = Math.max(LEAST_TOP, ...samples.flatMap(({ sendfile, copied }) => [sendfile, copied]));
  const width = widthOf('throughput');
  const chart = makeChart('bytes a second by path', width);
  chart.append(
    ...[0, top / 2, top].flatMap((rate) => rateLine(rate, top, width)),
    ...timeLabels(width),
    svg('path', { class: 'line-b', d: line('copied', top, width) }),
    svg('path', { class: 'line-a', d: line('sendfile', top, width) }),
  );
  const latest = samples.at(-1) ?? { sendfile: 0, copied: 0 };
  const key = html(
    'div',
    {},
    html('span', { class: 'key' }, `by sendfile ${formatRate(latest.sendfile)}`),
    html('span', { class: 'key b' }, `copied ${formatRate(latest.copied)}`),
  );
  fill('throughput', chart, key);
}
