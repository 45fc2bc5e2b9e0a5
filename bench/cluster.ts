import { type ClusterProcess, NO_CLIENT, startCluster, withClusters } from './cluster-process.js';
import { compile, hasCompiler } from './compiler.js';
import { type Bound, goalOfRatio } from './goal.js';
import { type Ratio, ratioCell, ratioOf } from './ratio.js';
import { interleave } from './rounds.js';
import type { Cell, Comparison, Effort, Result, Scenario, Table } from './scenario.js';
import { withScratch } from './scratch.js';
import { median } from './statistics.js';

const concurrentFor = ({ quick }: Effort): readonly number[] => (quick ? [256] : [32, 256, 1000]);
const WORKERS = 2;
/** Ratios: a listener in each worker to round robin. */
const CPU_GOAL = { atMost: 0.45 } as const;
const RATE_GOAL = { atLeast: 1.6 } as const;
const LATENCY_GOAL = { atMost: 1 } as const;

/** One round of a cluster. */
interface Sample {
  readonly cpuMicroseconds: number;
  readonly perSecond: number;
  readonly p99: number;
  /** Imbalance: connections of the busiest worker over the mean. */
  readonly imbalance: number;
}

type Samples = readonly (readonly Sample[])[];

async function measure(
  client: string,
  cluster: ClusterProcess,
  concurrent: number,
  connections: number,
): Promise<Sample> {
  const before = cluster.cpuSeconds();
  const { seconds, answered, p99, servers } = await cluster.connect(client, concurrent, connections);
  if (answered !== connections) throw new Error(`${cluster.name}: ${answered} of ${connections} were answered`);
  const counts = Object.values(servers);
  return {
    cpuMicroseconds: ((cluster.cpuSeconds() - before) / connections) * 1e6,
    perSecond: connections / seconds,
    p99,
    imbalance: (Math.max(...counts) * WORKERS) / connections,
  };
}

function valuesOf(samples: readonly Sample[] | undefined, of: keyof Sample): number[] {
  return (samples ?? []).map((sample) => sample[of]);
}

function onToDefault(samples: Samples, of: keyof Sample): Ratio {
  return ratioOf(valuesOf(samples[1], of), valuesOf(samples[0], of));
}

function tables(
  clusters: readonly ClusterProcess[],
  concurrent: readonly number[],
  measured: readonly Samples[],
): Table[] {
  const columns = ['at a time', ...clusters.map(({ name }) => name), 'on/default'];
  const table = (title: string, of: keyof Sample, bound?: Bound): Table => ({
    title,
    columns: bound === undefined ? columns : [...columns, 'goal'],
    rows: measured.map((samples, index): Cell[] => {
      const medians = clusters.map((_, place) => median(valuesOf(samples[place], of)));
      const ratio = onToDefault(samples, of);
      const judged = bound === undefined ? [] : [goalOfRatio(ratio, bound)];
      return [concurrent[index], ...medians, ratioCell(ratio), ...judged];
    }),
  });
  return [
    table('CPU of all processes for one connection, in microseconds', 'cpuMicroseconds', CPU_GOAL),
    table('Connections per second', 'perSecond', RATE_GOAL),
    table('99th percentile of latency, in microseconds', 'p99', LATENCY_GOAL),
    table('Imbalance: connections of the busier worker over the mean', 'imbalance'),
  ];
}

function comparison(
  clusters: readonly ClusterProcess[],
  concurrent: readonly number[],
  measured: readonly Samples[],
): Comparison {
  return {
    id: 'cluster-cpu',
    title: 'A short connection in a cluster of two workers',
    what: 'CPU that the processes of a cluster spend on one connection with one request, together.',
    unit: 'µs of CPU a connection',
    better: 'lower',
    kind: 'bars',
    xTitle: 'connections at a time',
    series: clusters.map(({ name }, place) => ({
      contender: name === 'default' ? 'stock' : `REUSEPORT=${name}`,
      points: measured.map((samples, index) => ({
        x: String(concurrent[index]),
        samples: valuesOf(samples[place], 'cpuMicroseconds'),
      })),
    })),
  };
}

function run(effort: Effort): Promise<Result> {
  const { quick } = effort;
  if (!hasCompiler) return Promise.resolve(NO_CLIENT);
  const connections = quick ? 3000 : 10_000;
  const rounds = quick ? 3 : 5;
  const concurrent = concurrentFor(effort);
  return withScratch((scratch) => {
    const client = compile('short-connections', scratch);
    const starting = [
      startCluster('default', 'nobody', {}),
      startCluster('on', 'all', { SOCKET_TUNE_REUSEPORT: 'on' }),
      startCluster('cpu', 'all', { SOCKET_TUNE_REUSEPORT: 'cpu' }),
    ];
    return withClusters(starting, async (clusters) => {
      const measured: Samples[] = [];
      for (const count of concurrent) {
        measured.push(await interleave(clusters, rounds, (one) => measure(client, one, count, connections)));
      }
      return {
        tables: tables(clusters, concurrent, measured),
        comparisons: [comparison(clusters, concurrent, measured)],
        notes: [
          `${WORKERS} workers; medians of ${rounds} interleaved rounds of ${connections} connections with one request each`,
          'nobody is pinned: the cluster and its client share the cores, and so its CPU is the figure to go by',
          'cpu: on loopback a connection comes in on the CPU of the client, which has one thread: one worker gets nearly all',
        ],
      };
    });
  });
}

export const clusterScenario: Scenario = {
  name: 'cluster',
  what: 'short connections in a cluster of two workers',
  run,
};
