import type { Cell, Effort, Result, Scenario, Table } from '../scenario.js';
import { median } from '../statistics.js';
import { collect, type Rounds, roundsOf } from './figures.js';
import { HTTP_PORT, type Lane, MESSAGE_PORT, type Workshop, withLanes } from './lane.js';
import { type LinkRecord, SERVER_ADDRESS } from './link.js';
import { fileName, link, nameOf } from './points.js';
import { onLinks, warmUp } from './workshop.js';

/** A variable, possible values in a preset, and the figures that depend on it. */
interface Choice {
  readonly variable: string;
  readonly values: readonly string[];
  readonly more?: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
}

interface Figure {
  readonly title: string;
  readonly links: readonly LinkRecord[];
  /** Other work of the server: milliseconds of work and of break. */
  readonly work?: readonly [number, number];
  measure(lane: Lane): Promise<number>;
}

/** Answer of the client. */
interface Transferred {
  readonly bytes: number;
  readonly milliseconds: number;
}

interface Heard extends Transferred {
  readonly samples: readonly number[];
}

const UNTOUCHED = 'untouched';

const BODY = { megabytes: 20 } as const;
const LARGE_BODY = { megabytes: 100 } as const;
const MOST_MS = 10_000;
const WARM_UP_MS = 1500;
const MESSAGES_MS = 2000;
const ROUNDS = 3;

function megabits({ bytes, milliseconds }: Transferred): number {
  return (bytes * 8) / milliseconds / 1e3;
}

function messages(lane: Lane): Promise<Heard> {
  return lane.ask('behind', SERVER_ADDRESS, MESSAGE_PORT, WARM_UP_MS, MESSAGES_MS);
}

async function download(lane: Lane, body: typeof BODY | typeof LARGE_BODY): Promise<number> {
  return megabits(await lane.ask('get', SERVER_ADDRESS, HTTP_PORT, `/file/${fileName(body)}`, 1, 0, MOST_MS));
}

async function upload(lane: Lane): Promise<number> {
  return megabits(await lane.ask('put', SERVER_ADDRESS, HTTP_PORT, fileName(BODY), 1, MOST_MS));
}

const FILE = 'a file, Mbit/s';
const PATHS = [link(20, 100), link(40, 100), link(100, 100)];

const CHOICES: readonly Choice[] = [
  {
    variable: 'NOTSENT_LOWAT',
    values: ['32k', '64k', '128k', '256k', '512k', '1m'],
    figures: [
      {
        title: 'a small message behind large ones, ms',
        links: [link(20, 10), link(100, 10), link(40, 100), link(100, 100), link(1, 1000)],
        measure: async (lane) => median((await messages(lane)).samples),
      },
      { title: FILE, links: [link(1, 1000)], measure: (lane) => download(lane, LARGE_BODY) },
      {
        title: `${FILE}, the server busy by 1 ms in 3`,
        links: [link(1, 1000), link(20, 1000)],
        work: [1, 2],
        measure: (lane) => download(lane, LARGE_BODY),
      },
      {
        title: `${FILE}, the server busy by 10 ms in 20`,
        links: [link(20, 100), link(40, 100)],
        work: [10, 10],
        measure: (lane) => download(lane, BODY),
      },
    ],
  },
  {
    variable: 'SNDBUF',
    values: ['128k', '256k', '1m', '4m'],
    more: { SOCKET_TUNE_BUFFER_MODE: 'exact' },
    figures: [{ title: FILE, links: PATHS, measure: (lane) => download(lane, BODY) }],
  },
  {
    variable: 'RCVBUF',
    values: ['128k', '256k', '1m', '4m'],
    more: { SOCKET_TUNE_BUFFER_MODE: 'exact' },
    figures: [{ title: 'an upload, Mbit/s', links: PATHS, measure: upload }],
  },
];

async function setWork(lane: Lane, work: Figure['work'] = [0, 0]): Promise<void> {
  await lane.ask('get', SERVER_ADDRESS, HTTP_PORT, `/work/${work.join('/')}`, 1, 0, MOST_MS);
}

async function rows(
  lanes: readonly Lane[],
  { title, links, work, measure }: Figure,
  rounds: Rounds,
): Promise<Cell[][]> {
  const found: Cell[][] = [];
  for (const record of links) {
    const once = async (lane: Lane): Promise<{ figure: number }> => {
      if (work !== undefined) await setWork(lane, work);
      const figure = await measure(lane);
      if (work !== undefined) await setWork(lane);
      return { figure };
    };
    // With all servers busy at once, the links would get no CPU time.
    const of = await collect(lanes, record, rounds, once, work === undefined ? {} : { inTurn: true });
    found.push([`${title}; ${nameOf(record)}`, ...of('figure').map(median)]);
  }
  return found;
}

async function choose(workshop: Workshop, choice: Choice, effort: Effort): Promise<Table> {
  const { variable, values, more, figures } = choice;
  const own: Workshop = {
    ...workshop,
    environment: (name) => ({
      ...workshop.environment(name),
      SOCKET_TUNE_PRESET: 'none',
      ...(name === UNTOUCHED ? {} : { [`SOCKET_TUNE_${variable}`]: name, ...more }),
    }),
  };
  const columns = [UNTOUCHED, ...values];
  const found = await withLanes(columns, own, async (lanes) => {
    await Promise.all(lanes.map(warmUp));
    const all: Cell[][] = [];
    for (const figure of figures) all.push(...(await rows(lanes, figure, roundsOf(effort, ROUNDS))));
    return all;
  });
  const exact = more === undefined ? '' : ', set exactly (SOCKET_TUNE_BUFFER_MODE=exact)';
  return { title: `SOCKET_TUNE_${variable}${exact}`, columns: ['', ...columns], rows: found };
}

async function measureAll(workshop: Workshop, effort: Effort): Promise<Result> {
  const tables: Table[] = [];
  for (const choice of CHOICES) tables.push(await choose(workshop, choice, effort));
  return { tables, notes: [`SOCKET_TUNE_PRESET=none; medians of ${ROUNDS} interleaved rounds`] };
}

/** Measurements behind the sizes in the presets. */
export const linkSizes: Scenario = {
  name: 'link-sizes',
  what: 'buffer sizes other than those of the presets, across networks (root needed)',
  onlyByName: true,
  run: (effort) => onLinks([BODY, LARGE_BODY], (workshop) => measureAll(workshop, effort)),
};
