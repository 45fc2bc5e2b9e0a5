import type { Contender } from './contenders.js';
import type { Limit, OpenClient, Target } from './load-client.js';
import { interleaveByName } from './rounds.js';
import type { Effort } from './scenario.js';
import type { Body } from './scratch.js';

/** Sample of a server under load. */
export interface Sample {
  /** CPU time of the server a request, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Use of the server's core, from 0 to 1. Below 1, something else was the limit. */
  readonly busy: number;
}

export interface Load {
  /** Position on the horizontal axis, and name in a table. */
  readonly x: number;
  readonly label: string;
  readonly body: Body;
  readonly connections: number;
  readonly protocol: Target['protocol'];
}

/** Samples of each contender, round by round, in the order of the contenders. */
export interface Measured {
  readonly load: Load;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export function loadOf(load: Omit<Load, 'protocol'>, protocol: Load['protocol'] = 'http'): Load {
  return { ...load, protocol };
}

/** Sample of one contender under a load. Connections are opened and closed outside of the measurement. */
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

/** A number of requests, or fewer of a larger body. */
interface Work {
  readonly requests: number;
  readonly bytes: number;
}

/** Amount of work of a measurement. */
export interface Pace {
  readonly rounds: number;
  /** Time a round of a contender. */
  readonly seconds: number;
  /** End of a round before that time: every contender does the same, however busy the machine is. */
  readonly round?: Work;
  /** Before the measurement. Node's compiler works for thousands of requests. */
  readonly warmUp: Work;
}

function requestsOf({ requests, bytes }: Work, { body }: Load): number {
  return Math.ceil(Math.min(requests, bytes / body.bytes));
}

export function paceOf({ quick }: Effort): Pace {
  return quick
    ? { rounds: 3, seconds: 0.05, warmUp: { requests: 3000, bytes: 2e8 } }
    : { rounds: 5, seconds: 0.2, warmUp: { requests: 12_000, bytes: 6e8 } };
}

/** Warm-ups that close their connections: V8 discards optimized code at the first close. */
const WARM_UPS = 3;
const MOST_SECONDS = 10;

export async function warmUpBy(
  open: OpenClient,
  contender: Contender,
  load: Load,
  warmUp: Pace['warmUp'],
): Promise<void> {
  const requests = Math.ceil(requestsOf(warmUp, load) / WARM_UPS);
  for (let time = 0; time < WARM_UPS; time++) await serve(open, contender, load, { seconds: MOST_SECONDS, requests });
}

/** Measure all contenders under all loads. */
export async function measure(
  open: OpenClient,
  contenders: readonly Contender[],
  loads: readonly Load[],
  { rounds, seconds, round, warmUp }: Pace,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  const warm = new Set<Body>();
  for (const load of loads) {
    if (!warm.has(load.body)) for (const contender of contenders) await warmUpBy(open, contender, load, warmUp);
    warm.add(load.body);
    const limit = round === undefined ? { seconds } : { seconds, requests: requestsOf(round, load) };
    const samples = await interleaveByName(contenders, rounds, (contender) => serve(open, contender, load, limit));
    measured.push({ load, samples });
  }
  return measured;
}
