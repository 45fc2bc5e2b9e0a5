import { type Cell, type Comparison, goal, type Table } from '../scenario.js';
import { median, pairedRatio } from '../statistics.js';
import { acrossLanes, CONTENDERS, type Lane, PRESETS } from './lane.js';
import type { LinkRecord } from './link.js';

/** No preset may be slower than stock by more than that. */
const GREATEST_LOSS = 1.05;

/** For each contender, the values of its rounds. */
export type Samples = readonly (readonly number[])[];

/** What was measured of all contenders, across several links. */
export interface Figures extends Omit<Comparison, 'series'> {
  readonly rows: readonly { readonly x: number | string; readonly samples: Samples }[];
  /** There is no goal to be met. */
  readonly isAside?: true;
}

/** Rounds of several figures at a time, by their names. */
export async function collect<K extends string>(
  lanes: readonly Lane[],
  record: LinkRecord,
  rounds: number,
  measure: (lane: Lane) => Promise<Readonly<Record<K, number>>>,
  options: { readonly inTurn?: boolean } = {},
): Promise<(name: K) => Samples> {
  const all: Readonly<Record<K, number>>[][] = lanes.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    const samples = await acrossLanes(lanes, record, round, measure, options);
    for (const [index, sample] of samples.entries()) all[index]?.push(sample);
  }
  return (name) => all.map((samples) => samples.map((sample) => sample[name]));
}

/** How many times as slow as stock each preset is. */
function slowness({ better }: Figures, [stock = [], ...presets]: Samples): number[] {
  return presets.map((own) => (better === 'lower' ? pairedRatio(own, stock) : pairedRatio(stock, own)));
}

export function toTable(figures: Figures): Table {
  const rows = figures.rows.map(({ x, samples }): Cell[] => {
    const times = slowness(figures, samples);
    const reached = figures.isAside ? [] : [goal(Math.round(Math.max(...times) * 1000) / 1000, GREATEST_LOSS)];
    return [String(x), ...samples.map(median), ...times, ...reached];
  });
  const ratios = PRESETS.map((preset) => (figures.better === 'lower' ? `${preset}/stock` : `stock/${preset}`));
  const columns = [figures.xTitle, ...CONTENDERS, ...ratios, ...(figures.isAside ? [] : ['goal'])];
  return { title: `${figures.title}, in ${figures.unit}`, columns, rows };
}

export function toComparison({ rows, isAside: _, ...about }: Figures): Comparison {
  const series = CONTENDERS.map((contender, index) => ({
    contender,
    points: rows.map(({ x, samples }) => ({ x, samples: samples[index] ?? [] })),
  }));
  return { ...about, series };
}
