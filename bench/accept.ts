import { type Client, withClient } from './client.js';
import { type Contender, stock, tuned } from './contenders.js';
import { goal } from './goal.js';
import { hasProgram } from './machine.js';
import { ratioCell, ratioOf } from './ratio.js';
import { remembered } from './remembered.js';
import { warmUpSmall } from './request-samples.js';
import { interleaveByName, pool, repeatedly } from './rounds.js';
import type { Cell, Comparison, Effort, Result, Scenario, Table } from './scenario.js';
import { withServers } from './server.js';
import { median } from './statistics.js';
import { countSocketOptionCalls } from './system-calls.js';

const APP = 'apps/echo-length';
const TRACED_CONNECTIONS = 200;

/** Connections a round, with one request each. */
const connectionsFor = ({ quick }: Effort): number => (quick ? 1000 : 3000);
/** Rounds of each process. */
const ROUNDS = 2;
const processesFor = ({ quick }: Effort): number => (quick ? 2 : 5);

export interface AcceptSample {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

export interface AcceptSamples {
  readonly stock: readonly AcceptSample[];
  readonly tuned: readonly AcceptSample[];
}

export async function openConnections(
  client: Client,
  { server }: Contender,
  connections: number,
): Promise<AcceptSample> {
  const before = server.cpuSeconds();
  const { seconds } = await client.run({ kind: 'connect', port: server.port, path: '', connections });
  return {
    perSecond: connections / seconds,
    cpuMicroseconds: ((server.cpuSeconds() - before) / connections) * 1e6,
  };
}

/** Samples of one set of processes, by server. */
function sampleOnce(effort: Effort): Promise<Map<string, readonly AcceptSample[]>> {
  return withClient((client) =>
    withServers([stock(APP), tuned(APP)], async (contenders) => {
      await warmUpSmall(client, contenders);
      return await interleaveByName(contenders, ROUNDS, (contender) =>
        openConnections(client, contender, connectionsFor(effort)),
      );
    }),
  );
}

/** Cost of accepting connections; measured once. */
export const acceptSamples = remembered(async (effort: Effort): Promise<AcceptSamples> => {
  const pooled = pool(await repeatedly(processesFor(effort), () => sampleOnce(effort)));
  return { stock: pooled.get('stock') ?? [], tuned: pooled.get('tuned') ?? [] };
});

function row(what: string, samples: AcceptSamples, of: keyof AcceptSample): Cell[] {
  const plain = samples.stock.map((sample) => sample[of]);
  const ours = samples.tuned.map((sample) => sample[of]);
  return [what, median(plain), median(ours), ratioCell(ratioOf(ours, plain))];
}

function costs(samples: AcceptSamples, effort: Effort): Table {
  return {
    title: `Connections with one request each; medians of interleaved rounds of ${connectionsFor(effort)}, of ${processesFor(effort)} processes of each server`,
    columns: ['', 'stock', 'tuned', 'tuned/stock'],
    rows: [
      row('connections per second', samples, 'perSecond'),
      row('server CPU, microseconds', samples, 'cpuMicroseconds'),
    ],
  };
}

function comparison(samples: AcceptSamples): Comparison {
  const points = (some: readonly AcceptSample[]) => [
    { x: 'connection with one request', samples: some.map(({ cpuMicroseconds }) => cpuMicroseconds) },
  ];
  return {
    id: 'accept-cpu',
    title: 'CPU time of a new connection',
    what: 'What a server uses of its processor to accept a connection, answer one small request and see it closed.',
    unit: 'µs of CPU a connection',
    better: 'lower',
    kind: 'bars',
    xTitle: '',
    series: [
      { contender: 'stock', points: points(samples.stock) },
      { contender: 'tuned', points: points(samples.tuned) },
    ],
  };
}

/** Extra calls of setsockopt and getsockopt on later connections under the preload. */
export async function extraCalls(client: Client): Promise<{ readonly extra: number; readonly table: Table }> {
  const plain = await countSocketOptionCalls(client, stock, APP, TRACED_CONNECTIONS);
  const ours = await countSocketOptionCalls(client, tuned, APP, TRACED_CONNECTIONS);
  const extra = ours.onLater - plain.onLater;
  const table = {
    title: 'Calls of setsockopt and getsockopt on accepted connections',
    columns: ['', 'stock', 'tuned', 'ours', 'goal'],
    rows: [
      ['the first connection', plain.onFirst, ours.onFirst, ours.onFirst - plain.onFirst, ''],
      [`all the other ${TRACED_CONNECTIONS - 1}`, plain.onLater, ours.onLater, extra, goal(extra, 0)],
    ],
  };
  return { extra, table };
}

async function run(effort: Effort): Promise<Result> {
  const samples = await acceptSamples(effort);
  const tables = [costs(samples, effort)];
  const comparisons = [comparison(samples)];
  if (!hasProgram('strace')) {
    return { tables, comparisons, notes: ['strace is not installed: system calls were not counted'] };
  }
  const { table } = await withClient(extraCalls);
  return { tables: [...tables, table], comparisons, notes: [] };
}

export const accept: Scenario = { name: 'accept', what: 'accepting connections: rate, CPU, and system calls', run };
