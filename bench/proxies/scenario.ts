import { COMPILER, hasCompiler } from '../compiler.js';
import type { Contender } from '../contenders.js';
import { type Bound, goalOfRatio } from '../goal.js';
import { hasProgram } from '../machine.js';
import { ratioCell, ratioOf } from '../ratio.js';
import { interleaveByName } from '../rounds.js';
import type { Cell, Effort, Result, Scenario, Table } from '../scenario.js';
import { withScratch } from '../scratch.js';
import { withServers, withStarted } from '../server.js';
import { median, percentile } from '../statistics.js';
import { startBulkPeers } from './bulk-peers.js';
import { apps, tcpProxies } from './contenders.js';
import { type Peers, startPeers } from './peers.js';

/** Greatest ratio of the tuned app's figure to that of another contender. */
type Goals = Readonly<Record<string, Bound>>;

interface Measurement {
  readonly title: string;
  readonly unit: string;
  readonly goals: Goals;
  start(peers: Peers, scratch: string): Promise<Contender>[];
  measure(peers: Peers, contender: Contender, effort: Effort): Promise<number>;
}

/** Microseconds of CPU that a job costs a server, for each unit of work. */
async function cpuOf({ server }: Contender, units: number, job: () => Promise<unknown>): Promise<number> {
  await server.idle();
  const before = server.cpuSeconds();
  await job();
  await server.idle();
  return ((server.cpuSeconds() - before) / units) * 1e6;
}

/** Download of one proxied connection. */
const DOWNLOAD = 100;

const MEASUREMENTS: readonly Measurement[] = [
  {
    title: 'messages of 100 bytes through a WebSocket of http-proxy, and back',
    unit: 'CPU a message (µs)',
    goals: { stock: { atMost: 1.02 } },
    start: (peers, scratch) => apps('proxies/apps/websocket-proxy', peers.webSocket, scratch),
    measure(peers, contender, { quick }) {
      const messages = quick ? 8000 : 24_000;
      return cpuOf(contender, messages, () => peers.ask('echo', { port: contender.server.port, messages }));
    },
  },
  {
    title: `a download of ${DOWNLOAD} MB by CONNECT through proxy-chain`,
    unit: 'CPU a MB (µs)',
    goals: { stock: { atMost: 0.35 } },
    start: (peers, scratch) => apps('proxies/apps/connect-proxy', peers.target, scratch),
    measure: (peers, contender) =>
      cpuOf(contender, DOWNLOAD, () => peers.ask('download', { port: contender.server.port, megabytes: DOWNLOAD })),
  },
  {
    title: 'messages of 100 bytes through a TCP proxy that has a bulk beside them',
    unit: 'p99 (ms)',
    goals: { stock: { atMost: 1 } },
    start: (peers, scratch) => tcpProxies(peers.target, scratch),
    async measure(peers, { server }, { quick }) {
      const how = { port: server.port, messages: quick ? 150 : 1000 };
      return percentile((await peers.ask('beside', how)) as number[], 0.99);
    },
  },
];

function rows(
  contenders: readonly Contender[],
  samples: ReadonlyMap<string, readonly number[]>,
  goals: Goals,
): Cell[][] {
  const own = samples.get('tuned') ?? [];
  return contenders.map(({ name }) => {
    const figures = samples.get(name) ?? [];
    const bound = goals[name];
    const ratio = ratioOf(own, figures);
    const isOwn = name === 'tuned';
    return [
      name,
      median(figures),
      isOwn ? undefined : ratioCell(ratio),
      isOwn || bound === undefined ? '' : goalOfRatio(ratio, bound),
    ];
  });
}

function tableOf(
  { title, unit, goals }: Pick<Measurement, 'title' | 'unit' | 'goals'>,
  contenders: readonly Contender[],
  samples: ReadonlyMap<string, readonly number[]>,
): Table {
  return { title, columns: ['proxy', unit, 'tuned / this', 'goal'], rows: rows(contenders, samples, goals) };
}

function roundsOf({ quick }: Effort): number {
  return quick ? 3 : 9;
}

const BULK = {
  title: 'a bulk on one connection through a TCP proxy',
  unit: 'CPU a MB (µs)',
  goals: { stock: { atMost: 0.28 }, 'HAProxy, splice': { atMost: 1.2 } },
} as const;

function measureBulk(effort: Effort): Promise<Table> {
  const megabytes = effort.quick ? 500 : 2000;
  return withScratch((scratch) =>
    withStarted(
      [startBulkPeers(scratch)],
      (peers) => peers.stop(),
      async ([peers]) => {
        if (peers === undefined) throw new Error('no peers');
        return withServers(tcpProxies(peers.target, scratch), async (contenders) => {
          const samples = await interleaveByName(contenders, roundsOf(effort), (contender) =>
            cpuOf(contender, megabytes, () => peers.send(contender.server.port, megabytes)),
          );
          return tableOf(BULK, contenders, samples);
        });
      },
    ),
  );
}

async function measureOne(peers: Peers, one: Measurement, effort: Effort): Promise<Table> {
  return withScratch((scratch) =>
    withServers(one.start(peers, scratch), async (contenders) => {
      const samples = await interleaveByName(contenders, roundsOf(effort), (contender) =>
        one.measure(peers, contender, effort),
      );
      return tableOf(one, contenders, samples);
    }),
  );
}

async function run(effort: Effort): Promise<Result> {
  const bulk = hasCompiler ? [await measureBulk(effort)] : [];
  return withStarted(
    [startPeers()],
    (peers) => peers.stop(),
    async ([peers]) => {
      if (peers === undefined) throw new Error('no peers');
      const tables: Table[] = [...bulk];
      for (const one of MEASUREMENTS) tables.push(await measureOne(peers, one, effort));
      return {
        tables,
        notes: [
          'both peers of every connection are one process, on a core of its own; those of the bulk are in C',
          hasProgram('haproxy') ? 'HAProxy: one thread, mode tcp' : 'there is no haproxy here',
          ...(hasCompiler ? [] : [`there is no C compiler (${COMPILER}): no bulk`]),
        ],
      };
    },
  );
}

export const proxies: Scenario = {
  name: 'proxies',
  what: 'CPU of proxies that pipe sockets into each other, and of HAProxy',
  onlyByName: true,
  run,
};
