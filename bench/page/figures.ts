import { type Ratio, ratioOf } from '../ratio.js';
import type { Comparison, Point, Series } from '../scenario.js';
import { median } from '../statistics.js';
import { xLabel } from './label.js';

/** Summary of the rounds of one contender at one point. */
export interface Figure {
  readonly x: number | string;
  readonly xLabel: string;
  readonly contender: string;
  readonly median: number;
  /** Least and greatest of all rounds. */
  readonly least: number;
  readonly greatest: number;
  readonly rounds: number;
  /** Share of stock's figure; undefined without stock. */
  readonly toStock: Ratio | undefined;
}

/** Names of the contenders that are Node without us. */
const BASES: ReadonlySet<string> = new Set(['stock', 'node']);
/** Names of the contenders that are Node with us. */
const OURS: ReadonlySet<string> = new Set(['tuned', 'default', 'lowlatency', 'highthroughput']);

export function isBase(contender: string): boolean {
  return BASES.has(contender);
}

export function isOurs(contender: string): boolean {
  return OURS.has(contender) || /socket-tune\/register|^REUSEPORT=/.test(contender);
}

/** Missing values and NaN are null in a file of results. d3 skips NaN. */
function numbers(samples: readonly (number | null)[]): number[] {
  return samples.map((value) => value ?? Number.NaN);
}

function ratio(own: Point, base: Point | undefined): Ratio | undefined {
  if (base === undefined) return undefined;
  const found = ratioOf(numbers(own.samples), numbers(base.samples));
  return Number.isFinite(found.value) ? found : undefined;
}

function figuresOf(comparison: Comparison, { contender, points }: Series, base: Series | undefined): Figure[] {
  return points.flatMap((point) => {
    const values = numbers(point.samples).filter(Number.isFinite);
    if (values.length === 0) return [];
    return [
      {
        x: point.x,
        xLabel: xLabel(comparison, point.x),
        contender,
        median: median(values),
        least: Math.min(...values),
        greatest: Math.max(...values),
        rounds: values.length,
        toStock: ratio(
          point,
          base?.points.find(({ x }) => x === point.x),
        ),
      },
    ];
  });
}

/** Figures of a comparison, contender by contender. */
export function figures(comparison: Comparison): Figure[] {
  const base = comparison.series.find(({ contender }) => isBase(contender));
  return comparison.series.flatMap((series) => figuresOf(comparison, series, base));
}

/** The same by position on the horizontal axis, in the order of their first appearance. */
export function byX(all: readonly Figure[]): Map<string, Figure[]> {
  const groups = new Map<string, Figure[]>();
  for (const figure of all) groups.set(figure.xLabel, [...(groups.get(figure.xLabel) ?? []), figure]);
  return groups;
}

/** Whether the rounds have a spread to show, such as `26.1–28.4`. */
export function hasSpread({ rounds, least, greatest }: Figure): boolean {
  return rounds > 1 && greatest > least;
}
