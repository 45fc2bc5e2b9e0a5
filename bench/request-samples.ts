import { type Client, withClient } from './client.js';
import { type Contender, stock, tuned } from './contenders.js';
import { remembered } from './remembered.js';
import { interleaveByName, pool, repeatedly } from './rounds.js';
import type { Effort } from './scenario.js';
import { withServers } from './server.js';
import { percentile } from './statistics.js';

const APP = 'apps/echo-length';
const PRESETS = ['lowlatency', 'highthroughput'] as const;

const HEAD = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n';
const BODY = 'x'.repeat(200);
const LENGTH = `Content-Length: ${BODY.length}\r\n\r\n`;

/** A request, and the cuts of the client's writes. */
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

const shapesFor = ({ quick }: Effort): readonly Shape[] => (quick ? SHAPES.slice(0, 2) : SHAPES);

/** One round of one shape on one server. */
export interface RequestSample {
  readonly requests: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  readonly cpuMicroseconds: number;
}

/** Samples of all rounds, by name of the server. */
export type ByServer = ReadonlyMap<string, readonly RequestSample[]>;
export type ByShape = ReadonlyMap<string, ByServer>;

function contenders(): Promise<Contender>[] {
  const withPreset = async (preset: string): Promise<Contender> => {
    const { server } = await tuned(APP, { SOCKET_TUNE_PRESET: preset });
    return { name: preset, server };
  };
  return [stock(APP), tuned(APP), ...PRESETS.map(withPreset)];
}

/** Rounds of each process. */
const ROUNDS = 2;
export const processesFor = ({ quick }: Effort): number => (quick ? 2 : 4);

/** Longest round. Stock Node takes 44 ms a split request, so time ends such a round, not the number. */
const limitFor = ({ quick }: Effort) =>
  quick ? { requests: 5000, seconds: 0.1 } : { requests: 10_000, seconds: 0.15 };

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

const WARM_UPS = 3;
const WARM_UP = { requests: 3000, seconds: 5 } as const;

/** Warm-up. Node's compiler works for thousands of requests, and again after connections have closed. */
export async function warmUpSmall(client: Client, servers: readonly Contender[]): Promise<void> {
  for (const server of servers) {
    for (let time = 0; time < WARM_UPS; time++) await timeRequests(client, server, WHOLE, WARM_UP);
  }
}

/** Samples of one set of processes, by shape and server. */
function sampleOnce(effort: Effort): Promise<Map<string, ByServer>> {
  return withServers(contenders(), (servers) =>
    withClient(async (client) => {
      const shapes = new Map<string, ByServer>();
      await warmUpSmall(client, servers);
      for (const shape of shapesFor(effort)) {
        const samples = await interleaveByName(servers, ROUNDS, (server) =>
          timeRequests(client, server, shape, limitFor(effort)),
        );
        shapes.set(shape.name, samples);
      }
      return shapes;
    }),
  );
}

/** Samples of each shape, by server; measured once. */
export const requestSamples = remembered(async (effort: Effort): Promise<ByShape> => {
  const sets = await repeatedly(processesFor(effort), () => sampleOnce(effort));
  return new Map(
    shapesFor(effort).map(({ name }) => [name, pool(sets.map((shapes) => shapes.get(name) ?? new Map()))]),
  );
});
