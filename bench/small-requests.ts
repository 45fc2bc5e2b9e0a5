import { type Client, withClient } from './client.js';
import { type Contender, stock, tuned } from './contenders.js';
import { remembered } from './remembered.js';
import { interleave } from './rounds.js';
import {
  type Cell,
  type Comparison,
  type Effort,
  goal,
  type Result,
  type Scenario,
  type Series,
  type Table,
} from './scenario.js';
import { withServers } from './server.js';
import { median, pairedRatio, percentile } from './statistics.js';

const APP = 'apps/echo-length';
const GOAL_MILLISECONDS = 1;

/** Presets that promise not to keep such a client waiting; highthroughput leaves delayed ACKs as they are. */
const PROMPT: ReadonlySet<string> = new Set(['tuned', 'lowlatency']);
const PRESETS = ['lowlatency', 'highthroughput'] as const;

const HEAD = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n';
const BODY = 'x'.repeat(200);
const LENGTH = `Content-Length: ${BODY.length}\r\n\r\n`;

/** A request, and where the client's writes cut it. */
interface Shape {
  readonly name: string;
  readonly parts: readonly string[];
}

export const WHOLE: Shape = { name: 'in one write', parts: [HEAD + LENGTH + BODY] };
export const SPLIT: Shape = { name: 'header | body', parts: [HEAD + LENGTH, BODY] };

const SHAPES: readonly Shape[] = [
  WHOLE,
  SPLIT,
  { name: 'header and part of body | rest', parts: [HEAD + LENGTH + BODY.slice(0, 50), BODY.slice(50)] },
  { name: 'part of header | rest and body', parts: [HEAD, LENGTH + BODY] },
  { name: 'part of header | rest | body', parts: [HEAD, LENGTH, BODY] },
];

/** One round of one shape at one server. */
export interface RequestSample {
  readonly requests: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly cpuMicroseconds: number;
}

/** Samples of all rounds, by the server's name. */
type ByServer = ReadonlyMap<string, readonly RequestSample[]>;
type ByShape = ReadonlyMap<string, ByServer>;

function contenders(): Promise<Contender>[] {
  const withPreset = async (preset: string): Promise<Contender> => {
    const { server } = await tuned(APP, { SOCKET_TUNE_PRESET: preset });
    return { name: preset, server };
  };
  return [stock(APP), tuned(APP), ...PRESETS.map(withPreset)];
}

const roundsFor = ({ quick }: Effort): number => (quick ? 2 : 5);

/** Stock Node takes 44 ms for each split request, so that time, and not their number, ends a round of those. */
const limitFor = ({ quick }: Effort) => (quick ? { requests: 2000, seconds: 0.15 } : { requests: 5000, seconds: 0.5 });

export async function timeRequests(
  client: Client,
  { server }: Contender,
  { parts }: Shape,
  limit: { readonly requests: number; readonly seconds: number },
): Promise<RequestSample> {
  const before = server.cpuSeconds();
  const { requests, latencies } = await client.run({ kind: 'repeat', port: server.port, parts, ...limit });
  return {
    requests,
    p50Milliseconds: percentile(latencies, 0.5),
    p99Milliseconds: percentile(latencies, 0.99),
    cpuMicroseconds: ((server.cpuSeconds() - before) / requests) * 1e6,
  };
}

/** The samples of each shape, by the server; made once. */
export const requestSamples = remembered(
  (effort: Effort): Promise<ByShape> =>
    withServers(contenders(), (servers) =>
      withClient(async (client) => {
        const shapes = new Map<string, ByServer>();
        for (const shape of SHAPES) {
          const samples = await interleave(servers, roundsFor(effort), (server) =>
            timeRequests(client, server, shape, limitFor(effort)),
          );
          shapes.set(shape.name, new Map(servers.map(({ name }, index) => [name, samples[index] ?? []])));
        }
        return shapes;
      }),
    ),
);

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
    pairedRatio(values(own, 'cpuMicroseconds'), values(plain, 'cpuMicroseconds')),
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
      `medians of ${roundsFor(effort)} interleaved rounds`,
    ],
  };
}

export const smallRequests: Scenario = {
  name: 'small-requests',
  what: "small requests, also by a client that sends each in several writes, with Nagle's algorithm on",
  run,
};
