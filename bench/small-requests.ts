import { goal } from './goal.js';
import { ratioCell, ratioOf } from './ratio.js';
import {
  type ByServer,
  type ByShape,
  processesFor,
  type RequestSample,
  requestSamples,
  WHOLE,
} from './request-samples.js';
import type { Cell, Comparison, Effort, Result, Scenario, Series, Table } from './scenario.js';
import { median } from './statistics.js';

const GOAL_MILLISECONDS = 1;

/** Presets without delayed ACKs for such a client. highthroughput keeps them. */
const PROMPT: ReadonlySet<string> = new Set(['tuned', 'lowlatency']);

function values(samples: readonly RequestSample[], of: keyof RequestSample): number[] {
  return samples.map((sample) => sample[of]);
}

function row(shape: string, server: string, byServer: ByServer): Cell[] {
  const own = byServer.get(server) ?? [];
  const plain = byServer.get('stock') ?? [];
  const half = median(values(own, 'p50Milliseconds'));
  return [
    shape,
    server,
    half,
    median(values(own, 'p99Milliseconds')),
    median(values(own, 'cpuMicroseconds')),
    ratioCell(ratioOf(values(own, 'cpuMicroseconds'), values(plain, 'cpuMicroseconds'))),
    PROMPT.has(server) ? goal(half, GOAL_MILLISECONDS, ' ms') : '',
  ];
}

function table(shapes: ByShape): Table {
  const rows = [...shapes].flatMap(([shape, byServer]) =>
    [...byServer.keys()].map((server) => row(shape, server, byServer)),
  );
  return {
    title: 'Small requests on one connection, one after another',
    columns: ['writes', 'server', 'p50, ms', 'p99, ms', 'server CPU, µs', 'CPU/stock', 'goal'],
    rows,
  };
}

function comparisons(shapes: ByShape): Comparison[] {
  const servers = [...(shapes.get(WHOLE.name)?.keys() ?? [])];
  const series = (some: ByShape, of: keyof RequestSample): Series[] =>
    servers.map((contender) => ({
      contender,
      points: [...some].map(([x, byServer]) => ({ x, samples: values(byServer.get(contender) ?? [], of) })),
    }));
  const whole: ByShape = new Map([...shapes].filter(([name]) => name === WHOLE.name));
  const cut: ByShape = new Map([...shapes].filter(([name]) => name !== WHOLE.name));
  return [
    {
      id: 'small-request-latency',
      title: 'Time of a small request',
      what: 'A request of 300 bytes that the client sends at once: the time until its answer is there.',
      unit: 'ms',
      better: 'lower',
      kind: 'bars',
      xTitle: 'how the client sends it',
      series: series(whole, 'p50Milliseconds'),
    },
    {
      id: 'small-request-cpu',
      title: 'CPU time of a small request',
      what: 'Traffic that socket-tune has nothing to do with: what it costs the server’s processor all the same.',
      unit: 'µs of CPU a request',
      better: 'lower',
      kind: 'bars',
      xTitle: 'how the client sends it',
      series: series(whole, 'cpuMicroseconds'),
    },
    {
      id: 'split-request-latency',
      title: 'Time of a small request that comes in pieces',
      what: 'A client that sends one request in several writes waits for the acknowledgement of each, which Linux delays by 40 ms.',
      unit: 'ms',
      better: 'lower',
      kind: 'bars',
      xTitle: 'where the client’s writes cut it',
      series: series(cut, 'p50Milliseconds'),
    },
  ];
}

async function run(effort: Effort): Promise<Result> {
  const shapes = await requestSamples(effort);
  return {
    tables: [table(shapes)],
    comparisons: comparisons(shapes),
    notes: [
      'one connection, kept alive, TCP_NODELAY off in the client: a write waits for the ACK of the one before',
      `medians of interleaved rounds of ${processesFor(effort)} processes of each server, one after the other`,
    ],
  };
}

export const smallRequests: Scenario = {
  name: 'small-requests',
  what: "small requests, also by a client that sends each in several writes, with Nagle's algorithm on",
  run,
};
