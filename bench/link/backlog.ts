import type { Effort } from '../scenario.js';
import { median } from '../statistics.js';
import { collect, type Figures, roundsOf, type Samples } from './figures.js';
import { HTTP_PORT, type Lane, MESSAGE_PORT } from './lane.js';
import { type LinkRecord, SERVER_ADDRESS } from './link.js';
import { fileName, link, nameOf, type Sized } from './points.js';

/** A path, a body that outlasts the measurement, and the time a connection needs to reach full speed. */
interface BacklogPoint extends Sized {
  readonly link: LinkRecord;
  readonly warmUpMs: number;
  /** Duration of the measurement: longer where messages are slow. */
  readonly mostMs: number;
  /** The server is busy for a third of its time, a millisecond at once. */
  readonly isBusy?: true;
  readonly quick?: true;
}

export const BACKLOG_POINTS: readonly BacklogPoint[] = [
  { link: link(20, 10), warmUpMs: 1000, mostMs: 3000, megabytes: 20 },
  { link: link(100, 10), warmUpMs: 2000, mostMs: 4000, megabytes: 20 },
  { link: link(40, 100), warmUpMs: 1000, mostMs: 2000, megabytes: 100, quick: true },
  { link: link(1, 1000), warmUpMs: 500, mostMs: 1000, megabytes: 400, isBusy: true },
];

const ROUNDS = 3;

const MOST_MS = 10_000;
const SMALL = '/memory/1000';

/** Answer of the client. */
interface Heard {
  readonly samples: readonly number[];
  readonly bytes: number;
  readonly milliseconds: number;
}

const NAMES = ['behind', 'throughput', 'beside'] as const;
type Name = (typeof NAMES)[number];

/** Busy during the measurement only: with all servers busy at once, the links would get no CPU time. */
async function setBusy(lane: Lane, isBusy: boolean): Promise<void> {
  await lane.ask('get', SERVER_ADDRESS, HTTP_PORT, isBusy ? '/work/1/2' : '/work/0/0', 1, 0, MOST_MS);
}

async function measure(lane: Lane, point: BacklogPoint): Promise<Record<Name, number>> {
  const { warmUpMs, mostMs, isBusy = false } = point;
  await setBusy(lane, isBusy);
  const behind = await lane.ask<Heard>('behind', SERVER_ADDRESS, MESSAGE_PORT, warmUpMs, mostMs);
  const large = `/file/${fileName(point)}`;
  const beside = await lane.ask<Heard>('beside', SERVER_ADDRESS, HTTP_PORT, large, SMALL, warmUpMs, mostMs);
  await setBusy(lane, false);
  return {
    behind: median(behind.samples),
    throughput: (behind.bytes * 8) / behind.milliseconds / 1e3,
    beside: median(beside.samples),
  };
}

const ABOUT: Readonly<Record<Name, Pick<Figures, 'title' | 'what' | 'unit' | 'better'>>> = {
  behind: {
    title: 'A small message behind large ones, on one connection',
    what: 'How long an answer takes that an app writes behind as much other data as the connection takes.',
    unit: 'ms',
    better: 'lower',
  },
  throughput: {
    title: 'Large messages, on the same connection',
    what: 'How fast that other data comes through.',
    unit: 'Mbit/s',
    better: 'higher',
  },
  beside: {
    title: 'A small answer beside a large file, on a connection of its own',
    what: 'How long it takes while another connection keeps the path full.',
    unit: 'ms',
    better: 'lower',
  },
};

const BETTER = { behind: 'lower', throughput: 'higher', beside: 'lower' } as const;

/** Small messages and answers behind large ones. */
export async function backlog(lanes: readonly Lane[], effort: Effort): Promise<Figures[]> {
  const rows = new Map<Name, { x: string; samples: Samples }[]>(NAMES.map((name) => [name, []]));
  for (const full of BACKLOG_POINTS) {
    if (effort.quick && !full.quick) continue;
    const point = effort.quick ? { ...full, warmUpMs: full.warmUpMs / 2, mostMs: full.mostMs / 2 } : full;
    const of = await collect(lanes, point.link, roundsOf(effort, ROUNDS), (lane) => measure(lane, point), {
      better: BETTER,
    });
    const x = `${nameOf(point.link)}${point.isBusy ? ', busy server' : ''}`;
    for (const [name, own] of rows) own.push({ x, samples: of(name) });
  }
  return NAMES.map((name) => ({
    ...ABOUT[name],
    id: `link-${name}`,
    kind: 'bars',
    xTitle: 'round trip, rate',
    rows: rows.get(name) ?? [],
  }));
}
