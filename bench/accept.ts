import { type Client, withClient } from './client.js';
import { type Contender, stock, tuned } from './contenders.js';
import { hasProgram } from './machine.js';
import { interleave } from './rounds.js';
import { type Cell, type Effort, goal, type Result, type Scenario, type Table } from './scenario.js';
import { withServers } from './server.js';
import { median, pairedRatio } from './statistics.js';
import { countSocketOptionCalls } from './system-calls.js';

const APP = 'apps/echo-length';
const ROUNDS = 9;
const TRACED_CONNECTIONS = 200;

interface Sample {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

async function open(client: Client, { server }: Contender, connections: number): Promise<Sample> {
  const before = server.cpuSeconds();
  const { seconds } = await client.run({ kind: 'connect', port: server.port, path: '', connections });
  return {
    perSecond: connections / seconds,
    cpuMicroseconds: ((server.cpuSeconds() - before) / connections) * 1e6,
  };
}

function row(what: string, samples: readonly (readonly Sample[])[], of: keyof Sample): Cell[] {
  const [plain = [], ours = []] = samples.map((some) => some.map((sample) => sample[of]));
  return [what, median(plain), median(ours), pairedRatio(ours, plain)];
}

async function costs(client: Client, { quick }: Effort): Promise<Table> {
  const connections = quick ? 3000 : 5000;
  const rounds = quick ? 3 : ROUNDS;
  const samples = await withServers([stock(APP), tuned(APP)], (contenders) =>
    interleave(contenders, rounds, (contender) => open(client, contender, connections)),
  );
  return {
    title: `Connections with one request each; medians of ${rounds} interleaved rounds of ${connections}`,
    columns: ['', 'stock', 'tuned', 'tuned/stock'],
    rows: [
      row('connections per second', samples, 'perSecond'),
      row('server CPU, microseconds', samples, 'cpuMicroseconds'),
    ],
  };
}

async function systemCalls(client: Client): Promise<Table> {
  const plain = await countSocketOptionCalls(client, stock, APP, TRACED_CONNECTIONS);
  const ours = await countSocketOptionCalls(client, tuned, APP, TRACED_CONNECTIONS);
  const extra = ours.onLater - plain.onLater;
  return {
    title: 'Calls of setsockopt and getsockopt on accepted connections',
    columns: ['', 'stock', 'tuned', 'ours', 'goal'],
    rows: [
      ['the first connection', plain.onFirst, ours.onFirst, ours.onFirst - plain.onFirst, ''],
      [`all the other ${TRACED_CONNECTIONS - 1}`, plain.onLater, ours.onLater, extra, goal(extra, 0)],
    ],
  };
}

async function run(effort: Effort): Promise<Result> {
  const tables = [await withClient((client) => costs(client, effort))];
  if (!hasProgram('strace')) return { tables, notes: ['strace is not installed: system calls were not counted'] };
  return { tables: [...tables, await withClient(systemCalls)], notes: [] };
}

export const accept: Scenario = { name: 'accept', what: 'accepting connections: rate, CPU, and system calls', run };
