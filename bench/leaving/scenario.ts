import { join } from 'node:path';
import type { Cell, Comparison, Effort, Result, Scenario } from '../scenario.js';
import { withScratch } from '../scratch.js';
import { clusterLanes, directLanes, type Lane, type Lanes, proxyLanes } from './lanes.js';
import type { Amount, Outcome } from './load.js';
import { DEADLINE_MILLISECONDS } from './rollout.js';

const DRAIN = { SOCKET_TUNE_DRAIN: '4s' } as const;

/** Lanes at a time: they wait for most of it. */
const AT_ONCE = 4;

/** A lane as it was run. */
interface Run {
  readonly lane: Lane;
  readonly drains: boolean;
  readonly outcome: Outcome;
}

function nameOf({ subject, way }: Lane): string {
  const kind = subject.hasHandler ? `${subject.kind}, closed by its app` : subject.kind;
  return way === 'direct' ? kind : `${kind}, ${way}`;
}

function row({ lane, drains, outcome }: Run): Cell[] {
  const { answered, lost, failed, returned, unsent, refused, ends, longest } = outcome;
  const counts = new Map<string, number>();
  for (const end of ends) counts.set(end, (counts.get(end) ?? 0) + 1);
  const ended = Array.from(counts, ([end, times]) => `${times} × ${end}`).join(', ');
  const variables = Object.keys(lane.variables ?? {}).map((name) => name.replace('SOCKET_TUNE_', ''));
  const how = drains ? ['DRAIN', ...variables].join(', ') : 'stock';
  return [nameOf(lane), how, answered, lost, failed, returned, unsent, refused, longest.toFixed(1), ended];
}

function comparison(name: string, runs: readonly Run[]): Comparison {
  const series = (contender: string, drains: boolean) => ({
    contender,
    points: runs
      .filter((run) => run.drains === drains)
      .map(({ lane, outcome }) => ({ x: nameOf(lane), samples: outcome.bad })),
  });
  return {
    id: `${name}-lost`,
    title: 'Requests without an answer, or with an answer 5xx, at one restart',
    what: 'Requests of users that fail because a server was replaced while they were on their way.',
    unit: 'requests',
    better: 'lower',
    kind: 'bars',
    xTitle: 'server',
    series: [series('stock', false), series('tuned', true)],
  };
}

/** Run tasks, so many at a time. Their results are in the order of the tasks. */
async function limited<T>(tasks: readonly (() => Promise<T>)[], most: number): Promise<T[]> {
  const results: T[] = [];
  const left = tasks.entries();
  const work = async (): Promise<void> => {
    for (const [place, task] of left) results[place] = await task();
  };
  await Promise.all(Array.from({ length: most }, work));
  return results;
}

function runAll(lanes: readonly Lane[], amount: Amount, scratch: string): Promise<Run[]> {
  const tasks = lanes.flatMap((lane, place) =>
    [false, true].map((drains) => async (): Promise<Run> => {
      const { subject, variables } = lane;
      const started = drains ? { ...subject, variables: { ...DRAIN, ...variables } } : subject;
      const outcome = await lane.run(started, amount, join(scratch, `${place}-${drains ? 'drain' : 'stock'}`));
      return { lane, drains, outcome };
    }),
  );
  return limited(tasks, AT_ONCE);
}

function scenario(name: string, what: string, lanesOf: (scratch: string) => Lanes): Scenario {
  const run = ({ quick }: Effort): Promise<Result> =>
    withScratch(async (scratch) => {
      const amount = quick ? { restarts: 3, least: 2000 } : { restarts: 10, least: 20_000 };
      const { lanes, notes } = lanesOf(scratch);
      const runs = await runAll(lanes, amount, scratch);
      return {
        comparisons: [comparison(name, runs)],
        tables: [
          {
            title: `Requests of 50 clients with keep-alive during ${amount.restarts} restarts by SIGTERM`,
            columns: [
              'server',
              'socket-tune',
              'answered',
              'lost',
              '5xx',
              'refused stream',
              'stream not sent',
              'not connected',
              'slowest end, s',
              'ended by',
            ],
            rows: runs.map(row),
          },
        ],
        notes: [
          'the clients repeat nothing; a request that was sent and not answered is lost',
          `SIGKILL comes ${DEADLINE_MILLISECONDS / 1000} s after SIGTERM; pm2 sends SIGINT`,
          'Fastify answers 503 from the moment on when its app closes it, without DRAIN',
          ...notes,
        ],
      };
    });
  return { name, what, onlyByName: true, run };
}

export const leavingScenarios: readonly Scenario[] = [
  scenario('drain', 'requests that rolling restarts lose', directLanes),
  scenario('drain-proxies', 'the same behind nginx and HAProxy', proxyLanes),
  scenario('drain-clusters', 'the same with clusters, and with pm2', clusterLanes),
];
