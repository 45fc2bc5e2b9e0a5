import { FILES } from '../frameworks/subjects.js';
import { changeText, isTooNoisy } from '../ratio.js';
import type { Results } from '../results.js';
import type { Comparison, Point, Series } from '../scenario.js';
import { type Figure, figures } from './figures.js';
import { numberLabel } from './label.js';

/** The app of the main chart. */
const APP = 'Express';

/** Where nginx took part; see bench/frameworks/subjects.ts. */
const BESIDE_NGINX = 'bare';

/** Main figure: CPU time of that app for a file, by its size; see bench/frameworks/scenario.ts. */
const SIZES = FILES.map(({ name, bytes }) => ({ id: `frameworks-cpu-${name}`, x: bytes }));

/** The same of a bare pipe, for runs without frameworks, as users make them; see bench/files.ts. */
const BARE = 'files-cpu';

const KB = 1 << 10;
const MB = 1 << 20;

/** Sizes and contenders of that chart. */
const BARE_SIZES: readonly (number | string)[] = [10 * KB, 100 * KB, MB, 10 * MB];
const BARE_CONTENDERS: readonly string[] = ['stock', 'tuned', 'nginx', 'C loop'];

export function findComparison(results: Results, id: string): Comparison | undefined {
  return results.scenarios.flatMap(({ comparisons }) => comparisons).find((comparison) => comparison.id === id);
}

/** The figures of one contender, size by size, each out of a comparison of all apps. */
function acrossSizes(results: Results, contender: string, app: string): Series {
  const points = SIZES.flatMap(({ id, x }): Point[] => {
    const series = findComparison(results, id)?.series.find((one) => one.contender === contender);
    const samples = series?.points.find((point) => point.x === app)?.samples;
    return samples === undefined ? [] : [{ x, samples }];
  });
  return { contender, points };
}

function ofFramework(results: Results): Comparison | undefined {
  const series = [
    acrossSizes(results, 'stock', APP),
    acrossSizes(results, 'tuned', APP),
    acrossSizes(results, 'nginx', BESIDE_NGINX),
  ].filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  return {
    id: 'headline',
    title: `CPU time that ${APP} needs for one request of express.static, by the size of the file`,
    what: 'What an unchanged app uses of its processor for each file that it serves, and what nginx does.',
    unit: 'µs of CPU a request',
    better: 'lower',
    kind: 'bars',
    xTitle: 'size of the file, in bytes',
    series,
  };
}

function ofBarePipe(results: Results): Comparison | undefined {
  const all = findComparison(results, BARE);
  if (all === undefined) return undefined;
  const series = BARE_CONTENDERS.flatMap((name) => all.series.filter(({ contender }) => contender === name));
  return {
    ...all,
    title: 'CPU time that the server needs for one request, by the size of the file',
    kind: 'bars',
    series: series.map(({ contender, points }) => ({
      contender,
      points: points.filter(({ x }) => BARE_SIZES.includes(x)),
    })),
  };
}

/** Main chart; undefined if this run did not measure it. */
export function headline(results: Results): Comparison | undefined {
  return ofFramework(results) ?? ofBarePipe(results);
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
    `All that is compared was measured in turn on ${where}, on which ${cores}; nothing is left out where it lost.`,
  ];
}
