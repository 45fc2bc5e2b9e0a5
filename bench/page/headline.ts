import { changeText, isTooNoisy } from '../ratio.js';
import type { Results } from '../results.js';
import type { Comparison } from '../scenario.js';
import { type Figure, figures } from './figures.js';
import { numberLabel } from './label.js';

/** Main figure: CPU time of the server for a file, by size; see bench/files.ts. */
const FILES = 'files-cpu';

const KB = 1 << 10;
const MB = 1 << 20;

/** Sizes and contenders of the small chart. */
const SIZES: readonly (number | string)[] = [10 * KB, 100 * KB, MB, 10 * MB];
const CONTENDERS: readonly string[] = ['stock', 'tuned', 'nginx', 'C loop'];

export function findComparison(results: Results, id: string): Comparison | undefined {
  return results.scenarios.flatMap(({ comparisons }) => comparisons).find((comparison) => comparison.id === id);
}

/** Main chart; undefined if this run did not measure it. */
export function headline(results: Results): Comparison | undefined {
  const all = findComparison(results, FILES);
  if (all === undefined) return undefined;
  const series = CONTENDERS.flatMap((name) => all.series.filter(({ contender }) => contender === name));
  return {
    ...all,
    title: 'CPU time that the server needs for one request, by the size of the file',
    kind: 'bars',
    series: series.map(({ contender, points }) => ({
      contender,
      points: points.filter(({ x }) => SIZES.includes(x)),
    })),
  };
}

function gain({ toStock }: Figure): number {
  return toStock === undefined ? Number.NaN : 1 - toStock.value;
}

function stockOf(figure: Figure, all: readonly Figure[]): number {
  const stock = all.find(({ contender, xLabel }) => contender === 'stock' && xLabel === figure.xLabel);
  return stock?.median ?? Number.NaN;
}

function change({ toStock }: Figure): string {
  return toStock === undefined ? '' : changeText(toStock);
}

/** Greatest and least gain among the shown sizes. */
export function inFigures(chart: Comparison | undefined): string | undefined {
  if (chart === undefined) return undefined;
  const all = figures(chart);
  const ours = all.filter(
    ({ contender, toStock }) => contender === 'tuned' && toStock !== undefined && !isTooNoisy(toStock),
  );
  ours.sort((a, b) => gain(b) - gain(a));
  const [most, least] = [ours[0], ours.at(-1)];
  if (most === undefined || least === undefined) return undefined;
  const told = (figure: Figure): string =>
    `${numberLabel(figure.median)} µs a request instead of ${numberLabel(stockOf(figure, all))} µs`;
  const rest =
    most === least
      ? ''
      : `; of the sizes below, ${least.xLabel} ${gain(least) > 0 ? 'gains least' : 'loses'}: ${change(least)} (${told(least)})`;
  return `Measured here, a file of ${most.xLabel} costs the server ${change(most)} CPU time (${told(most)})${rest}.`;
}

/** Summary in three sentences. */
export function sentences(results: Results): string[] {
  const { isVirtual, isPinned } = results.machine;
  const cores = isPinned ? 'server and client had a processor core each' : 'server and client shared the machine';
  const where = `one ${isVirtual ? 'virtual ' : ''}machine`;
  return [
    'socket-tune makes unchanged Node.js servers cheaper to run: it sets the options of their connections, and has the ' +
      'kernel send their files directly instead of copying every byte through JavaScript.',
    inFigures(headline(results)) ?? 'This run measured a part of what there is to measure: see below.',
    `All that is compared was measured in turn, in one run on ${where}, on which ${cores}; nothing is left out where it lost.`,
  ];
}
