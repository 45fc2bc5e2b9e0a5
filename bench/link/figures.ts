import { goalOfRatio, missedByMedians } from '../goal.js';
import { type Better, badness, isTooNoisy, type Ratio, ratioCell, ratioOf } from '../ratio.js';
import type { Cell, Comparison, Effort, Table } from '../scenario.js';
import { median, percentile } from '../statistics.js';
import { acrossLanes, CONTENDERS, type Lane, PRESETS } from './lane.js';
import type { LinkRecord } from './link.js';

/** Greatest loss of a preset against stock Node. */
const GREATEST_LOSS = 1.05;
const GOAL = { atMost: GREATEST_LOSS } as const;

/** Values of the rounds, by contender. */
export type Samples = readonly (readonly number[])[];

/** Figures of all contenders across several links. */
export interface Figures extends Omit<Comparison, 'series'> {
  readonly rows: readonly { readonly x: number | string; readonly samples: Samples }[];
  /** These figures have no goal. */
  readonly isAside?: true;
}

/** Factor of extra rounds in a full run, at a point where a preset seems slower than stock. */
const MOST_TIMES = 2;

/** Rounds of a point: those of a full run, or the least number. */
export function roundsOf({ quick }: Effort, rounds: number): Rounds {
  return quick ? { least: 3, most: 3 } : { least: rounds, most: rounds * MOST_TIMES };
}

export interface Rounds {
  readonly least: number;
  /** Rounds at a point where a preset seems slower. */
  readonly most: number;
}

/** Factor of the loss against stock, of each preset. */
function slowness(better: Better, [stock = [], ...presets]: Samples): Ratio[] {
  return presets.map((own) => badness(better, ratioOf(own, stock)));
}

function isSlow({ value, rounds }: Ratio): boolean {
  return Math.max(value, median(rounds)) > GREATEST_LOSS;
}

interface CollectOptions<K extends string> {
  /** Figures with a goal. */
  readonly better?: Readonly<Partial<Record<K, Better>>>;
  readonly inTurn?: boolean;
}

/** Rounds of several figures at a time, by name. A preset that seems slower gets more rounds, as that may be chance. */
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

/** Least number of rounds for a verdict: fewer do not predict others. */
const LEAST_ROUNDS = 4;

/** A goal is missed if nine rounds of ten miss it. Among so many figures, some miss it in most rounds by chance. */
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
