import { goalOfRatio, missedByMedians } from '../goal.js';
import { type Better, badness, isTooNoisy, type Ratio, ratioCell, ratioOf } from '../ratio.js';
import type { Cell, Comparison, Effort, Table } from '../scenario.js';
import { median, percentile } from '../statistics.js';
import { acrossLanes, CONTENDERS, type Lane, PRESETS } from './lane.js';
import type { LinkRecord } from './link.js';

/** No preset may be slower than stock by more than that. */
const GREATEST_LOSS = 1.05;
const GOAL = { atMost: GREATEST_LOSS } as const;

/** For each contender, the values of its rounds. */
export type Samples = readonly (readonly number[])[];

/** What was measured of all contenders, across several links. */
export interface Figures extends Omit<Comparison, 'series'> {
  readonly rows: readonly { readonly x: number | string; readonly samples: Samples }[];
  /** There is no goal to be met. */
  readonly isAside?: true;
}

/** In a full run, a point at which a preset seems slower than stock is measured again, up to so many times as often. */
const MOST_TIMES = 2;

/** Rounds of a point: those of a full run, or as few as there may be. */
export function roundsOf({ quick }: Effort, rounds: number): Rounds {
  return quick ? { least: 3, most: 3 } : { least: rounds, most: rounds * MOST_TIMES };
}

export interface Rounds {
  readonly least: number;
  /** Where a preset seems slower. */
  readonly most: number;
}

/** How many times as slow as stock each preset is. */
function slowness(better: Better, [stock = [], ...presets]: Samples): Ratio[] {
  return presets.map((own) => badness(better, ratioOf(own, stock)));
}

function isSlow({ value, rounds }: Ratio): boolean {
  return Math.max(value, median(rounds)) > GREATEST_LOSS;
}

interface CollectOptions<K extends string> {
  /** The figures that presets must not be slower by. */
  readonly better?: Readonly<Partial<Record<K, Better>>>;
  readonly inTurn?: boolean;
}

/** Rounds of several figures at a time, by their names: more of them where a preset seems slower, for chance slows things as well. */
export async function collect<K extends string>(
  lanes: readonly Lane[],
  record: LinkRecord,
  rounds: Rounds,
  measure: (lane: Lane) => Promise<Readonly<Record<K, number>>>,
  options: CollectOptions<K> = {},
): Promise<(name: K) => Samples> {
  const all: Readonly<Record<K, number>>[][] = lanes.map(() => []);
  const of = (name: K): Samples => all.map((samples) => samples.map((sample) => sample[name]));
  const judged = Object.entries(options.better ?? {}) as [K, Better][];
  const isSettled = (): boolean => !judged.some(([name, way]) => slowness(way, of(name)).some(isSlow));
  for (let round = 1; round <= rounds.least || (round <= rounds.most && !isSettled()); round++) {
    const samples = await acrossLanes(lanes, record, round, measure, options);
    for (const [index, sample] of samples.entries()) all[index]?.push(sample);
  }
  return of;
}

/** Fewer rounds tell nothing of what others would have been. */
const LEAST_ROUNDS = 4;

/** Missed is what nine rounds of ten have missed: among so many figures, some are as bad as that in most rounds by chance. */
function verdict(slowest: Ratio): string {
  const { value, rounds } = slowest;
  if (value <= GREATEST_LOSS || isTooNoisy(slowest)) return goalOfRatio(slowest, GOAL);
  if (rounds.length < LEAST_ROUNDS)
    return missedByMedians(slowest, GOAL, `too few rounds (${rounds.length}) to be sure`);
  if (percentile(rounds, 0.1) > GREATEST_LOSS) return goalOfRatio(slowest, GOAL);
  return missedByMedians(slowest, GOAL, 'fewer than nine rounds of ten do');
}

export function toTable(figures: Figures): Table {
  const rows = figures.rows.map(({ x, samples }): Cell[] => {
    const ratios = slowness(figures.better, samples);
    const slowest = ratios.reduce((a, b) => (b.value > a.value ? b : a));
    const judged = figures.isAside ? [] : [ratioCell(slowest), verdict(slowest)];
    return [String(x), ...samples.map(median), ...ratios.map(ratioCell), ...judged];
  });
  const ratios = PRESETS.map((preset) => (figures.better === 'lower' ? `${preset}/stock` : `stock/${preset}`));
  const judged = figures.isAside ? [] : ['the slowest', 'goal'];
  const columns = [figures.xTitle, ...CONTENDERS, ...ratios, ...judged];
  return { title: `${figures.title}, in ${figures.unit}`, columns, rows };
}

export function toComparison({ rows, isAside: _, ...about }: Figures): Comparison {
  const series = CONTENDERS.map((contender, index) => ({
    contender,
    points: rows.map(({ x, samples }) => ({ x, samples: samples[index] ?? [] })),
  }));
  return { ...about, series };
}
