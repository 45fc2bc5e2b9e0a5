import { type Client, withClient } from './client.js';
import { type Contender, stock, tuned } from './contenders.js';
import { type Cell, type Effort, goal, type Result, type Scenario } from './scenario.js';
import { withServers } from './server.js';
import { percentile } from './statistics.js';

const APP = 'apps/echo-length';
const GOAL_MILLISECONDS = 1;

/** Presets that promise not to keep such a client waiting; highthroughput leaves delayed ACKs as they are. */
const PROMPT: ReadonlySet<string> = new Set(['default', 'lowlatency']);
const PRESETS = ['default', 'lowlatency', 'highthroughput'] as const;

const HEAD = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n';
const BODY = 'x'.repeat(200);
const LENGTH = `Content-Length: ${BODY.length}\r\n\r\n`;

/** A request, and where the client's writes cut it. */
interface Shape {
  readonly name: string;
  readonly parts: readonly string[];
}

const SHAPES: readonly Shape[] = [
  { name: 'header | body', parts: [HEAD + LENGTH, BODY] },
  { name: 'header and part of body | rest', parts: [HEAD + LENGTH + BODY.slice(0, 50), BODY.slice(50)] },
  { name: 'part of header | rest and body', parts: [HEAD, LENGTH + BODY] },
  { name: 'part of header | rest | body', parts: [HEAD, LENGTH, BODY] },
];

function contenders(): Promise<Contender>[] {
  const withPreset = async (preset: string): Promise<Contender> => {
    const { server } = await tuned(APP, { SOCKET_TUNE_PRESET: preset });
    return { name: preset, server };
  };
  return [stock(APP), ...PRESETS.map(withPreset)];
}

async function time(client: Client, { name, server }: Contender, shape: Shape, { quick }: Effort): Promise<Cell[]> {
  const { port } = server;
  const most = quick ? { requests: 300, seconds: 1 } : { requests: 1000, seconds: 2.5 };
  const { latencies } = await client.run({ kind: 'split', port, parts: shape.parts, ...most });
  const half = percentile(latencies, 0.5);
  const reached = PROMPT.has(name) ? goal(half, GOAL_MILLISECONDS, ' ms') : '';
  return [shape.name, name, latencies.length, half, percentile(latencies, 0.99), reached];
}

async function timeAll(client: Client, servers: readonly Contender[], effort: Effort): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for (const shape of SHAPES) for (const server of servers) rows.push(await time(client, server, shape, effort));
  return rows;
}

async function run(effort: Effort): Promise<Result> {
  const rows = await withServers(contenders(), (servers) => withClient((client) => timeAll(client, servers, effort)));
  const columns = ['writes', 'server', 'requests', 'p50', 'p99', 'goal'];
  return {
    tables: [{ title: 'Time of one request, in milliseconds', columns, rows }],
    notes: ['one connection, kept alive, TCP_NODELAY off in the client: a write waits for the ACK of the one before'],
  };
}

export const splitRequest: Scenario = {
  name: 'split-request',
  what: "a client that sends each request in several writes, with Nagle's algorithm on",
  run,
};
