import type { Effort } from '../scenario.js';
import { median } from '../statistics.js';
import { collect, type Figures, roundsOf, type Samples } from './figures.js';
import { HTTP_PORT, type Lane } from './lane.js';
import { type LinkRecord, SERVER_ADDRESS } from './link.js';
import { fileName, link } from './points.js';
import { PAGE } from './workshop.js';

const RATE = 100;
const ROUND_TRIPS = [1, 20, 40, 100, 200] as const;
const QUICK_ROUND_TRIPS: readonly number[] = [20, 100];

const ROUNDS = 3;
const REPEATS = 3;

const SMALL = '/memory/1000';
const PAGE_PATH = `/file/${fileName(PAGE)}`;

/** A path with packet loss, and eight connections on it: on so short a transfer, one lost packet decides. */
const LOSSY: LinkRecord = link(40, 100, 1);
const LOSSY_CONNECTIONS = 8;
const LOSSY_ROUNDS = 15;

const MOST_MS = 20_000;

/** Answer of the client to `get`. */
interface Fetched {
  readonly milliseconds: number;
  /** Milliseconds of all connections. */
  readonly mean: number;
  readonly firstByte: number;
}

function get(lane: Lane, path: string, fastOpen: 0 | 1, connections = 1): Promise<Fetched> {
  return lane.ask('get', SERVER_ADDRESS, HTTP_PORT, path, connections, fastOpen, MOST_MS);
}

const NAMES = ['first', 'repeated', 'kept', 'page'] as const;
type Name = (typeof NAMES)[number];

async function measure(lane: Lane): Promise<Readonly<Record<Name, number>>> {
  lane.link.forget();
  const first = (await get(lane, SMALL, 1)).firstByte;
  const repeated: number[] = [];
  for (let time = 0; time < REPEATS; time++) repeated.push((await get(lane, SMALL, 1)).firstByte);
  const kept = await lane.ask<{ samples: number[] }>('again', SERVER_ADDRESS, HTTP_PORT, SMALL, REPEATS + 1);
  const page = (await get(lane, PAGE_PATH, 0)).milliseconds;
  return { first, repeated: median(repeated), kept: median(kept.samples), page };
}

const ABOUT: Readonly<Record<Name, Pick<Figures, 'title' | 'what'>>> = {
  first: {
    title: 'First byte of a client’s first connection',
    what: 'How long a client that was never here before waits for the first byte.',
  },
  repeated: {
    title: 'First byte of a later connection',
    what: 'How long a client that was here before, and uses TCP Fast Open, waits for the first byte.',
  },
  kept: {
    title: 'A request on a connection that is open already',
    what: 'How long a small request and its answer take.',
  },
  page: {
    title: 'A file of 100 KB on a new connection',
    what: 'How long it takes from nothing to the last byte.',
  },
};

const COMMON = { unit: 'ms', better: 'lower' } as const;
const BETTER = { first: 'lower', repeated: 'lower', kept: 'lower', page: 'lower' } as const;

/** Waiting times of a client with little to fetch. */
export async function firstByte(lanes: readonly Lane[], effort: Effort): Promise<Figures[]> {
  const rows = new Map<Name, { x: number; samples: Samples }[]>(NAMES.map((name) => [name, []]));
  for (const roundTripMs of ROUND_TRIPS) {
    if (effort.quick && !QUICK_ROUND_TRIPS.includes(roundTripMs)) continue;
    const of = await collect(lanes, link(roundTripMs, RATE), roundsOf(effort, ROUNDS), measure, { better: BETTER });
    for (const [name, own] of rows) own.push({ x: roundTripMs, samples: of(name) });
  }
  return NAMES.map((name) => ({
    ...COMMON,
    ...ABOUT[name],
    id: `link-${name}`,
    kind: 'curve',
    xTitle: 'round trip, ms',
    xScale: 'log',
    rows: rows.get(name) ?? [],
  }));
}

/** The same page with packet loss: one lost packet may cost more than all the others. */
export async function lossyPage(lanes: readonly Lane[], effort: Effort): Promise<Figures> {
  const measurePage = async (lane: Lane): Promise<Record<'mean', number>> => ({
    mean: (await get(lane, PAGE_PATH, 0, LOSSY_CONNECTIONS)).mean,
  });
  const of = await collect(lanes, LOSSY, roundsOf(effort, LOSSY_ROUNDS), measurePage, { better: { mean: 'lower' } });
  return {
    ...COMMON,
    id: 'link-lossy-page',
    title: `A file of 100 KB on each of ${LOSSY_CONNECTIONS} new connections, packets being lost`,
    what: 'How long it takes on average, from nothing to the last byte.',
    kind: 'bars',
    xTitle: 'round trip, rate',
    rows: [
      { x: `${LOSSY.roundTripMs} ms, ${LOSSY.rateMbit} Mbit/s, ${LOSSY.lossPercent} % lost`, samples: of('mean') },
    ],
  };
}
