import { howFilesWent, httpLineup } from './contenders.js';
import { loadOf, type Measured, measure, paceOf } from './load.js';
import { withLoadClients } from './load-client.js';
import { leastBusy, seriesOf, tableOf } from './load-figures.js';
import type { Comparison, Effort, Result, Scenario } from './scenario.js';
import { type Body, kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';

const BODIES = [kilobytes(10), kilobytes(1 << 10)] as const;

const countsFor = ({ quick }: Effort): readonly number[] => (quick ? [1, 1000] : [1, 8, 64, 1000]);
/** A quick run measures one body. */
const bodiesFor = ({ quick }: Effort): readonly Body[] => (quick ? BODIES.slice(0, 1) : BODIES);

function comparisons({ name, bytes }: Body, measured: readonly Measured[]): Comparison[] {
  const axis = { xTitle: 'connections at a time', xScale: 'log', yScale: 'log' } as const;
  return [
    {
      id: `connections-cpu-${name}`,
      title: `CPU time of a request of ${sizeLabel(bytes)}, by connections`,
      what: 'Whether a request costs a server more of its processor when many clients ask at the same time.',
      unit: 'µs of CPU a request',
      better: 'lower',
      kind: 'curve',
      ...axis,
      series: seriesOf(measured, 'cpuMicroseconds'),
    },
    {
      id: `connections-rate-${name}`,
      title: `Requests of ${sizeLabel(bytes)} per second, by connections`,
      what: 'How many requests one core of a server answers in a second, by how many clients ask at the same time.',
      unit: 'requests/s',
      better: 'higher',
      kind: 'curve',
      ...axis,
      series: seriesOf(measured, 'requestsPerSecond'),
    },
  ];
}

function run(effort: Effort): Promise<Result> {
  return withScratch(async (scratch) => {
    const bodies = bodiesFor(effort);
    writeBodies(scratch, bodies);
    const { starting, missing } = httpLineup(scratch, scratch, effort, { largeChunks: false });
    const loads = bodies.map((body) =>
      countsFor(effort).map((count) =>
        loadOf({ x: count, label: `${sizeLabel(body.bytes)}, ${count}`, body, connections: count }),
      ),
    );
    const measured = await withLoadClients((open) =>
      withServers(starting, async (contenders) => {
        const all: Measured[][] = [];
        for (const some of loads) all.push(await measure(open, contenders, some, paceOf(effort)));
        return all;
      }),
    );
    return {
      tables: [
        tableOf('Server CPU of one request, in microseconds', 'body, connections', measured.flat(), 'cpuMicroseconds'),
        tableOf('Requests per second', 'body, connections', measured.flat(), 'requestsPerSecond'),
      ],
      comparisons: bodies.flatMap((body, index) => comparisons(body, measured[index] ?? [])),
      notes: [
        'the stock app with a highWaterMark of 1 MiB is left out: with many connections a request costs it several times as much as any other',
        `connections are kept alive; medians of ${paceOf(effort).rounds} interleaved rounds`,
        leastBusy(measured.flat()),
        howFilesWent(scratch),
        ...missing,
      ],
    };
  });
}

export const connectionCounts: Scenario = {
  name: 'connections',
  what: 'files over HTTP to 1 to 1,000 connections at a time',
  run,
};
