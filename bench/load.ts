import type { Contender } from './contenders.js';
import type { Limit, OpenClient, Target } from './load-client.js';
import { interleave } from './rounds.js';
import type { Cell, Effort, Series, Table } from './scenario.js';
import type { Body } from './scratch.js';
import { median, pairedRatio } from './statistics.js';

/** A server under load. */
export interface Sample {
  /** CPU time of the server for one request, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** How busy the server was, from 0 to 1: what is left of its core shows that something else was the limit. */
  readonly busy: number;
}

export interface Load {
  /** Where it stands on the horizontal axis, and what a table calls it. */
  readonly x: number;
  readonly label: string;
  readonly body: Body;
  readonly connections: number;
  readonly protocol: Target['protocol'];
}

/** The samples of each contender, round by round, in the order of the contenders. */
export interface Measured {
  readonly load: Load;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export function loadOf(load: Omit<Load, 'protocol'>, protocol: Load['protocol'] = 'http'): Load {
  return { ...load, protocol };
}

/** What one contender uses to serve a load. Connections are opened, and closed, outside of that. */
export async function serve(open: OpenClient, { server }: Contender, load: Load, limit: Limit): Promise<Sample> {
  const { body, connections, protocol } = load;
  const client = await open({ port: server.port, protocol, path: body.name, bodyLength: body.bytes, connections });
  try {
    await server.idle();
    const before = server.cpuSeconds();
    const done = await client.run(limit);
    const cpuSeconds = server.cpuSeconds() - before;
    return {
      cpuMicroseconds: (cpuSeconds / done.requests) * 1e6,
      requestsPerSecond: done.requests / done.seconds,
      megabytesPerSecond: (done.requests * body.bytes) / done.seconds / 1e6,
      busy: cpuSeconds / done.seconds,
    };
  } finally {
    await client.close();
    await server.idle();
  }
}

/** How much work a measurement is. */
export interface Pace {
  readonly rounds: number;
  /** How long a contender serves in one round. */
  readonly seconds: number;
  /** Requests that each serves before anything counts, of small files: while a compiler is at work, it is no server. */
  readonly warmUpRequests: number;
}

export function paceOf({ quick }: Effort): Pace {
  return quick
    ? { rounds: 3, seconds: 0.08, warmUpRequests: 4000 }
    : { rounds: 7, seconds: 0.25, warmUpRequests: 20_000 };
}

const MOST_WARM_UP_BYTES = 2e9;
const MOST_SECONDS = 10;

/** Have all contenders serve all loads. */
export async function measure(
  open: OpenClient,
  contenders: readonly Contender[],
  loads: readonly Load[],
  { rounds, seconds, warmUpRequests }: Pace,
): Promise<Measured[]> {
  const [first] = loads;
  if (first !== undefined) {
    const requests = Math.min(warmUpRequests, Math.ceil(MOST_WARM_UP_BYTES / first.body.bytes));
    for (const contender of contenders) await serve(open, contender, first, { seconds: MOST_SECONDS, requests });
  }
  const measured: Measured[] = [];
  for (const load of loads) {
    const samples = await interleave(contenders, rounds, (contender) => serve(open, contender, load, { seconds }));
    measured.push({ load, samples: new Map(contenders.map(({ name }, index) => [name, samples[index] ?? []])) });
  }
  return measured;
}

function values(measured: Measured, contender: string, of: keyof Sample): number[] | undefined {
  return measured.samples.get(contender)?.map((sample) => sample[of]);
}

function namesIn(measured: readonly Measured[]): string[] {
  return [...new Set(measured.flatMap(({ samples }) => [...samples.keys()]))];
}

/** One figure of all contenders, along the horizontal axis. */
export function seriesOf(measured: readonly Measured[], of: keyof Sample): Series[] {
  return namesIn(measured).map((contender) => ({
    contender,
    points: measured.map((one) => ({ x: one.load.x, samples: values(one, contender, of) ?? [] })),
  }));
}

/** One figure of all contenders under one load. */
export function barsOf(measured: Measured, of: keyof Sample): Series[] {
  const { label } = measured.load;
  return namesIn([measured]).map((contender) => ({
    contender,
    points: [{ x: label, samples: values(measured, contender, of) ?? [] }],
  }));
}

/** The ratio of two contenders' figures. */
export function ratioOf(measured: Measured, of: keyof Sample, contender: string, base: string): number {
  return pairedRatio(values(measured, contender, of) ?? [], values(measured, base, of) ?? []);
}

/** A row for each load, and a column for each contender, with the ratio of two of them. */
export function tableOf(
  title: string,
  what: string,
  measured: readonly Measured[],
  of: keyof Sample,
  [ours, base]: readonly [string, string] = ['tuned', 'stock'],
): Table {
  const names = namesIn(measured);
  const hasRatio = names.includes(ours) && names.includes(base);
  const row = (one: Measured): Cell[] => [
    one.load.label,
    ...names.map((name) => median(values(one, name, of) ?? [])),
    ...(hasRatio ? [ratioOf(one, of, ours, base)] : []),
  ];
  return { title, columns: [what, ...names, ...(hasRatio ? [`${ours}/${base}`] : [])], rows: measured.map(row) };
}

/** The least share of its core that any contender used under any load: there, the client had more of a say. */
export function leastBusy(measured: readonly Measured[]): string {
  const shares = measured.flatMap((one) =>
    namesIn([one]).map((contender) => ({
      what: `${contender}, ${one.load.label}`,
      share: median(values(one, contender, 'busy') ?? []),
    })),
  );
  shares.sort((a, b) => a.share - b.share);
  const told = shares.slice(0, 3).map(({ what, share }) => `${what}: ${Math.round(share * 100)} %`);
  return `of its core, each server used nearly all (otherwise it waits for the client, or a disk); the least: ${told.join('; ')}`;
}
