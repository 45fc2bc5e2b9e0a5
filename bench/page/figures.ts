import { type Ratio, ratioOf } from '../ratio.js';
import type { Comparison, Point, Series } from '../scenario.js';
import { median } from '../statistics.js';
import { xLabel } from './label.js';

/** What the rounds of one contender come to, in one circumstance. */
export interface Figure {
  readonly x: number | string;
  readonly xLabel: string;
  readonly contender: string;
  readonly median: number;
  /** Of all rounds. */
  readonly least: number;
  readonly greatest: number;
  readonly rounds: number;
  /** The figure as a share of stock's; undefined where there is no stock to compare with. */
  readonly toStock: Ratio | undefined;
}

/** Node without us, by the names that it has among the contenders. */
const BASES: ReadonlySet<string> = new Set(['stock', 'node']);
/** Node with us. */
const OURS: ReadonlySet<string> = new Set(['tuned', 'default', 'lowlatency', 'highthroughput']);

export function isBase(contender: string): boolean {
  return BASES.has(contender);
}

export function isOurs(contender: string): boolean {
  return OURS.has(contender) || /socket-tune\/register|^REUSEPORT=/.test(contender);
}

/** What was not measured, or is no number, is null in a file of results; d3 leaves out what is no number. */
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

/** The figures of a comparison, one contender after the other. */
export function figures(comparison: Comparison): Figure[] {
  const base = comparison.series.find(({ contender }) => isBase(contender));
  return comparison.series.flatMap((series) => figuresOf(comparison, series, base));
}

/** The same, by what stands on the horizontal axis, in the order of their first appearance. */
export function byX(all: readonly Figure[]): Map<string, Figure[]> {
  const groups = new Map<string, Figure[]>();
  for (const figure of all) groups.set(figure.xLabel, [...(groups.get(figure.xLabel) ?? []), figure]);
  return groups;
}

/** `26.1–28.4`; nothing of a single round. */
export function hasSpread({ rounds, least, greatest }: Figure): boolean {
  return rounds > 1 && greatest > least;
}
