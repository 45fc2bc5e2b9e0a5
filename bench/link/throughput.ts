import type { Effort } from '../scenario.js';
import { collect, type Figures, roundsOf, type Samples } from './figures.js';
import { HTTP_PORT, type Lane } from './lane.js';
import { SERVER_ADDRESS } from './link.js';
import {
  fileName,
  nameOf,
  THROUGHPUT_POINTS,
  type ThroughputPoint,
  TRANSFER_KINDS,
  type TransferKind,
} from './points.js';

/** Least rate (Mbit/s) with a figure of CPU time: below it, the clock's ticks of 10 ms hide the cost. */
const LEAST_RATE_FOR_CPU = 1000;

/** Answer of the client. */
interface Transferred {
  readonly milliseconds: number;
  readonly bytes: number;
}

function transfer(lane: Lane, kind: TransferKind, point: ThroughputPoint): Promise<Transferred> {
  const { connections, mostMs } = point;
  const body = fileName(point);
  if (kind === 'upload') return lane.ask('put', SERVER_ADDRESS, HTTP_PORT, body, connections, mostMs);
  return lane.ask('get', SERVER_ADDRESS, HTTP_PORT, `/${kind}/${body}`, connections, 0, mostMs);
}

async function measure(
  lane: Lane,
  kind: TransferKind,
  point: ThroughputPoint,
): Promise<Record<'megabits' | 'cpu', number>> {
  const before = lane.server.cpuSeconds();
  const { milliseconds, bytes } = await transfer(lane, kind, point);
  const cpuSeconds = lane.server.cpuSeconds() - before;
  return { megabits: (bytes * 8) / milliseconds / 1e3, cpu: (cpuSeconds * 1e3) / (bytes / 100e6) };
}

const TITLES: Readonly<Record<TransferKind, string>> = {
  file: 'Download of a file',
  memory: 'Download from memory',
  upload: 'Upload',
};

const MEANINGS: Readonly<Record<TransferKind, string>> = {
  file: 'How fast createReadStream(path).pipe(response) comes through, by the kind of path.',
  memory: 'How fast response.end(buffer) comes through, by the kind of path.',
  upload: 'How fast a request with a large body comes through, by the kind of path.',
};

function figuresOf(kind: TransferKind, rows: Figures['rows'], cpu: Figures['rows']): Figures[] {
  const common = { kind: 'bars', xTitle: 'round trip, rate' } as const;
  const speed: Figures = {
    ...common,
    id: `link-${kind}`,
    title: `${TITLES[kind]} across a network`,
    what: MEANINGS[kind],
    unit: 'Mbit/s',
    better: 'higher',
    rows,
  };
  const costs: Figures = {
    ...common,
    id: `link-${kind}-cpu`,
    title: `Server CPU: ${TITLES[kind].toLowerCase()} across a network`,
    what: 'What the server works for a hundred megabytes.',
    unit: 'ms per 100 MB',
    better: 'lower',
    isAside: true,
    rows: cpu,
  };
  return [speed, costs];
}

/** Time limit of a quick run. Later bytes do not count, not even the rest of a body. */
const QUICK_MOST_MS = 1500;

function pointsOf(kind: TransferKind, { quick }: Effort): readonly ThroughputPoint[] {
  if (!quick) return THROUGHPUT_POINTS.filter(({ kinds }) => kinds.includes(kind));
  const points = THROUGHPUT_POINTS.filter((point) => point.quick?.includes(kind));
  return points.map((point) => ({ ...point, mostMs: Math.min(point.mostMs, QUICK_MOST_MS) }));
}

/** Transfers of all kinds over all paths. */
export async function throughput(lanes: readonly Lane[], effort: Effort): Promise<Figures[]> {
  const all: Figures[] = [];
  for (const kind of TRANSFER_KINDS) {
    const rows: { x: string; samples: Samples }[] = [];
    const cpu: { x: string; samples: Samples }[] = [];
    for (const point of pointsOf(kind, effort)) {
      const x = nameOf(point.link);
      const of = await collect(
        lanes,
        point.link,
        roundsOf(effort, point.rounds),
        (lane) => measure(lane, kind, point),
        {
          better: { megabits: 'higher' },
        },
      );
      rows.push({ x, samples: of('megabits') });
      if (point.link.rateMbit >= LEAST_RATE_FOR_CPU) cpu.push({ x, samples: of('cpu') });
    }
    if (rows.length > 0) all.push(...figuresOf(kind, rows, cpu));
  }
  return all;
}
