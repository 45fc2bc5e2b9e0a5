import type { Contender } from './contenders.js';
import type { Limit, OpenClient, Target } from './load-client.js';
import { interleaveByName } from './rounds.js';
import type { Effort } from './scenario.js';
import type { Body } from './scratch.js';

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
  /** What each serves of a file before that counts, at most: Node's compiler is at work for thousands of requests. */
  readonly warmUp: { readonly requests: number; readonly bytes: number };
}

export function paceOf({ quick }: Effort): Pace {
  return quick
    ? { rounds: 3, seconds: 0.05, warmUp: { requests: 3000, bytes: 2e8 } }
    : { rounds: 5, seconds: 0.2, warmUp: { requests: 12_000, bytes: 6e8 } };
}

/** Node's compiler gives up on code whose connections close for the first time, and begins anew. */
const WARM_UPS = 3;
const MOST_SECONDS = 10;

export async function warmUpBy(
  open: OpenClient,
  contender: Contender,
  load: Load,
  warmUp: Pace['warmUp'],
): Promise<void> {
  const requests = Math.ceil(Math.min(warmUp.requests, warmUp.bytes / load.body.bytes) / WARM_UPS);
  for (let time = 0; time < WARM_UPS; time++) await serve(open, contender, load, { seconds: MOST_SECONDS, requests });
}

/** Have all contenders serve all loads. */
export async function measure(
  open: OpenClient,
  contenders: readonly Contender[],
  loads: readonly Load[],
  { rounds, seconds, warmUp }: Pace,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  const warm = new Set<Body>();
  for (const load of loads) {
    if (!warm.has(load.body)) for (const contender of contenders) await warmUpBy(open, contender, load, warmUp);
    warm.add(load.body);
    const samples = await interleaveByName(contenders, rounds, (contender) =>
      serve(open, contender, load, { seconds }),
    );
    measured.push({ load, samples });
  }
  return measured;
}
