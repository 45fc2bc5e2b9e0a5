import { COMPILER, hasCompiler } from './compiler.js';
import { howFilesWent, rawLineup } from './contenders.js';
import { type Load, loadOf, type Measured, measure, paceOf } from './load.js';
import { withLoadClients } from './load-client.js';
import { leastBusy, seriesOf, tableOf } from './load-figures.js';
import type { Comparison, Effort, Result, Scenario } from './scenario.js';
import { type Body, kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';

const CONNECTIONS = 8;
const MANY = kilobytes(1 << 10);

const bodiesFor = ({ quick }: Effort): readonly Body[] =>
  (quick ? [100, 1 << 10] : [10, 100, 1 << 10, 10 << 10, 100 << 10]).map(kilobytes);
/** Not in a quick run. */
const countsFor = ({ quick }: Effort): readonly number[] => (quick ? [] : [1, 8, 64, 1000]);

function bySize(effort: Effort): Load[] {
  return bodiesFor(effort).map((body) =>
    loadOf({ x: body.bytes, label: sizeLabel(body.bytes), body, connections: CONNECTIONS }, 'raw'),
  );
}

function byConnections(effort: Effort): Load[] {
  return countsFor(effort).map((connections) =>
    loadOf({ x: connections, label: `${sizeLabel(MANY.bytes)}, ${connections}`, body: MANY, connections }, 'raw'),
  );
}

const CPU = { unit: 'µs of CPU a file', better: 'lower', kind: 'curve', xScale: 'log', yScale: 'log' } as const;

function sizeComparisons(sizes: readonly Measured[]): Comparison[] {
  return [
    {
      id: 'raw-cpu',
      title: 'CPU time of a file without HTTP, by its size',
      what: 'A file piped to a plain TCP connection, which ends with it: what that uses of the server’s processor.',
      ...CPU,
      xTitle: 'size of the file, in bytes',
      series: seriesOf(sizes, 'cpuMicroseconds'),
    },
    {
      id: 'raw-throughput',
      title: 'Throughput without HTTP, by the size of the file',
      what: 'How many bytes one core of a server sends in a second over plain TCP connections, one for each file.',
      ...CPU,
      unit: 'MB/s',
      better: 'higher',
      xTitle: 'size of the file, in bytes',
      series: seriesOf(sizes, 'megabytesPerSecond'),
    },
  ];
}

function countComparison(counts: readonly Measured[]): Comparison {
  return {
    id: 'raw-connections-cpu',
    title: `CPU time of a file of ${sizeLabel(MANY.bytes)} without HTTP, by connections`,
    what: 'Whether a file costs a server more of its processor when many clients fetch one at the same time.',
    ...CPU,
    xTitle: 'connections at a time',
    series: seriesOf(counts, 'cpuMicroseconds'),
  };
}

function run(effort: Effort): Promise<Result> {
  if (!hasCompiler) {
    return Promise.resolve({ tables: [], notes: [`there is no C compiler (${COMPILER}): raw TCP was not measured`] });
  }
  return withScratch(async (scratch) => {
    writeBodies(scratch, [...bodiesFor(effort), MANY]);
    const { starting, missing } = rawLineup(scratch, scratch);
    const [sizes, counts] = await withLoadClients((open) =>
      withServers(starting, async (contenders) => [
        await measure(open, contenders, bySize(effort), paceOf(effort)),
        await measure(open, contenders, byConnections(effort), paceOf(effort)),
      ]),
    );
    if (sizes === undefined || counts === undefined) throw new Error('nothing was measured');
    return {
      tables: [
        tableOf('Server CPU of one file, in microseconds', 'body', sizes, 'cpuMicroseconds'),
        tableOf('MB/s', 'body', sizes, 'megabytesPerSecond'),
        ...(counts.length === 0
          ? []
          : [tableOf('Server CPU of one file, in microseconds', 'body, connections', counts, 'cpuMicroseconds')]),
      ],
      comparisons: [...sizeComparisons(sizes), ...(counts.length === 0 ? [] : [countComparison(counts)])],
      notes: [
        'a connection for each file, opened and closed within what is measured; ' +
          `${CONNECTIONS} at a time; medians of ${paceOf(effort).rounds} interleaved rounds`,
        leastBusy([...sizes, ...counts]),
        howFilesWent(scratch),
        ...missing,
      ],
    };
  });
}

export const rawTcp: Scenario = { name: 'raw-tcp', what: 'files piped to plain TCP connections', run };
