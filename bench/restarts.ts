import {
  type ClusterProcess,
  NO_CLIENT,
  type ShortConnections,
  startCluster,
  withClusters,
} from './cluster-process.js';
import { compile, hasCompiler } from './compiler.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { withScratch } from './scratch.js';

const CONCURRENT = 16;
const BATCH = 1000;

type Totals = Omit<ShortConnections, 'seconds' | 'servers' | 'p50' | 'p99'> & { readonly workers: number };

const NONE: Totals = { answered: 0, refused: 0, reset: 0, empty: 0, other: 0, slow: 0, workers: 0 };

function add(totals: Totals, batch: ShortConnections): Totals {
  return {
    answered: totals.answered + batch.answered,
    refused: totals.refused + batch.refused,
    reset: totals.reset + batch.reset,
    empty: totals.empty + batch.empty,
    other: totals.other + batch.other,
    slow: totals.slow + batch.slow,
    workers: totals.workers,
  };
}

/** Connections without a pause, while all workers of a cluster are replaced again and again. */
async function restart(client: string, cluster: ClusterProcess, restarts: number, least: number): Promise<Totals> {
  let totals = NONE;
  let isOver = false;
  const seen = new Set<string>();
  const load = (async () => {
    while (!isOver || totals.answered < least) {
      const batch = await cluster.connect(client, CONCURRENT, BATCH);
      for (const worker of Object.keys(batch.servers)) seen.add(worker);
      totals = add(totals, batch);
    }
  })();
  for (let round = 0; round < restarts; round++) await cluster.restart();
  isOver = true;
  await load;
  return { ...totals, workers: seen.size };
}

function row(name: string, { answered, refused, reset, empty, other, slow, workers }: Totals): Cell[] {
  return [name, answered, refused, reset, empty + other, slow, workers];
}

function run({ quick }: Effort): Promise<Result> {
  const restarts = quick ? 2 : 20;
  const least = quick ? 2000 : 20_000;
  if (!hasCompiler) return Promise.resolve(NO_CLIENT);
  const tuned = { SOCKET_TUNE_REUSEPORT: 'on' };
  return withScratch((scratch) => {
    const client = compile('short-connections', scratch);
    const starting = [
      startCluster('stock', 'nobody', {}),
      startCluster('REUSEPORT=on', 'all', tuned),
      startCluster('REUSEPORT=on in the workers only', 'workers', { ...tuned, PORT: '7893' }),
    ];
    return withClusters(starting, async (clusters) => {
      const rows: Cell[][] = [];
      for (const one of clusters) rows.push(row(one.name, await restart(client, one, restarts, least)));
      return {
        tables: [
          {
            title: `Connections during ${restarts} restarts of both workers, one after the other`,
            columns: [
              '',
              'answered',
              'refused',
              'reset',
              'failed otherwise',
              'late by a second',
              'workers that answered',
            ],
            rows,
          },
        ],
        notes: [
          `${CONCURRENT} connections at a time with one request each`,
          'where only the workers have socket-tune, a listener that closes ignores newcomers for a moment, whose SYN comes again after a second; net.ipv4.tcp_migrate_req=1 spares them that',
        ],
      };
    });
  });
}

export const restartsScenario: Scenario = { name: 'restarts', what: 'rolling restarts of a cluster under load', run };
