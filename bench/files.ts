import { howFilesWent, httpLineup } from './contenders.js';
import { goalOfRatio } from './goal.js';
import { type Load, loadOf, type Measured, measure, paceOf } from './load.js';
import { withLoadClients } from './load-client.js';
import { barsOf, leastBusy, ratioIn, seriesOf, tableOf, values } from './load-figures.js';
import { ratioCell } from './ratio.js';
import type { Comparison, Effort, Result, Scenario, Table } from './scenario.js';
import { kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median } from './statistics.js';

const CONNECTIONS = 8;

/** Least size with one connection only: eight would take half a minute a round. */
const ALONE_BYTES = 100 << 20;

interface Size {
  readonly kilobytes: number;
  /** Not in a quick run. */
  readonly fullOnly?: true;
  /** Goal: greatest server CPU of the tuned app, as a share of the stock app's. */
  readonly goal?: number;
}

const SIZES: readonly Size[] = [
  { kilobytes: 1, fullOnly: true },
  { kilobytes: 10, goal: 0.33 },
  { kilobytes: 100, fullOnly: true, goal: 0.25 },
  { kilobytes: 1 << 10, goal: 0.33 },
  { kilobytes: 10 << 10, goal: 0.33 },
  { kilobytes: 100 << 10, fullOnly: true, goal: 0.33 },
  { kilobytes: 1 << 20, fullOnly: true },
];

function loadFor(size: Size): Load {
  const body = kilobytes(size.kilobytes);
  const connections = body.bytes < ALONE_BYTES ? CONNECTIONS : 1;
  return loadOf({ x: body.bytes, label: sizeLabel(body.bytes), body, connections });
}

function goalsOf(sizes: readonly Size[], measured: readonly Measured[]): Table {
  return {
    title: 'Server CPU of one request, in microseconds, and its goal',
    columns: ['body', 'stock', 'tuned', 'tuned/stock', 'goal'],
    rows: measured.map((one, index) => {
      const medians = ['stock', 'tuned'].map((name) => median(values(one, name, 'cpuMicroseconds') ?? []));
      const ratio = ratioIn(one, 'cpuMicroseconds', 'tuned', 'stock');
      const atMost = sizes[index]?.goal;
      return [one.load.label, ...medians, ratioCell(ratio), atMost === undefined ? '' : goalOfRatio(ratio, { atMost })];
    }),
  };
}

function comparisons(measured: readonly Measured[]): Comparison[] {
  const axis = { xTitle: 'size of the file, in bytes', xScale: 'log', yScale: 'log' } as const;
  const bars = measured.map(
    (one): Comparison => ({
      id: `files-cpu-${one.load.body.name}`,
      title: `CPU time to serve a file of ${one.load.label}`,
      what: `What a server uses of its processor for each request of a file of ${one.load.label}, with the file in memory.`,
      unit: 'µs of CPU a request',
      better: 'lower',
      kind: 'bars',
      xTitle: 'size of the file',
      series: barsOf(one, 'cpuMicroseconds'),
    }),
  );
  return [
    {
      id: 'files-cpu',
      title: 'CPU time of a request, by the size of the file',
      what: 'How what a server uses of its processor for each request grows with the file that it sends.',
      unit: 'µs of CPU a request',
      better: 'lower',
      kind: 'curve',
      ...axis,
      series: seriesOf(measured, 'cpuMicroseconds'),
    },
    {
      id: 'files-throughput',
      title: 'Throughput, by the size of the file',
      what: 'How many bytes one core of a server sends in a second, to a client that is never the limit.',
      unit: 'MB/s',
      better: 'higher',
      kind: 'curve',
      ...axis,
      series: seriesOf(measured, 'megabytesPerSecond'),
    },
    ...bars,
  ];
}

function run(effort: Effort): Promise<Result> {
  const sizes = SIZES.filter(({ fullOnly }) => !(fullOnly && effort.quick));
  const loads = sizes.map(loadFor);
  return withScratch(async (scratch) => {
    writeBodies(
      scratch,
      loads.map(({ body }) => body),
    );
    const { starting, missing } = httpLineup(scratch, scratch, effort);
    const measured = await withLoadClients((open) =>
      withServers(starting, (contenders) => measure(open, contenders, loads, paceOf(effort))),
    );
    return {
      tables: [
        tableOf('Server CPU of one request, in microseconds', 'body', measured, 'cpuMicroseconds'),
        tableOf('Requests per second', 'body', measured, 'requestsPerSecond'),
        tableOf('MB/s', 'body', measured, 'megabytesPerSecond'),
        goalsOf(sizes, measured),
      ],
      comparisons: comparisons(measured),
      notes: [
        `${CONNECTIONS} connections, kept alive (from ${sizeLabel(ALONE_BYTES)} on: one); files in the page cache; medians of ${paceOf(effort).rounds} interleaved rounds`,
        leastBusy(measured),
        howFilesWent(scratch),
        ...missing,
      ],
    };
  });
}

export const files: Scenario = {
  name: 'files',
  what: 'files of 1 KB to 1 GB over HTTP against what else one could use: CPU and throughput',
  run,
};
