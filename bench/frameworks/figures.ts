import { goalOfRatio } from '../goal.js';
import type { Measured } from '../load.js';
import { barsOf, ratioIn, values } from '../load-figures.js';
import { ratioCell } from '../ratio.js';
import type { Cell, Comparison, Table } from '../scenario.js';
import { median } from '../statistics.js';
import type { Ways } from './servers.js';
import type { Request, Subject } from './subjects.js';

/** Figures of one kind of request to one subject. */
export interface Measurement {
  readonly subject: Subject;
  readonly request: Request;
  readonly measured: Measured;
}

function cpuOf({ measured }: Measurement, contender: string): number {
  return median(values(measured, contender, 'cpuMicroseconds') ?? []);
}

function goalRow(measurement: Measurement): Cell[] {
  const { measured, request } = measurement;
  const ratio = ratioIn(measured, 'cpuMicroseconds', 'tuned', 'stock');
  const reached = request.goal === undefined ? '' : goalOfRatio(ratio, { atMost: request.goal });
  return [measured.load.label, cpuOf(measurement, 'stock'), cpuOf(measurement, 'tuned'), ratioCell(ratio), reached];
}

export function goalTable(measurements: readonly Measurement[]): Table {
  return {
    title: 'Server CPU of one request, in microseconds, and its goal',
    columns: ['app and body', 'stock', 'tuned', 'tuned/stock', 'goal'],
    rows: measurements.map(goalRow),
  };
}

/** Goal: greatest server CPU of the tuned app for the smallest file, as a multiple of nginx's. */
const MOST_OF_NGINX = 3;

function nginxRow(measurement: Measurement, index: number): Cell[] {
  const { measured } = measurement;
  const ratio = ratioIn(measured, 'cpuMicroseconds', 'tuned', 'nginx');
  const reached = index === 0 ? goalOfRatio(ratio, { atMost: MOST_OF_NGINX }) : '';
  return [measured.load.label, cpuOf(measurement, 'tuned'), cpuOf(measurement, 'nginx'), ratioCell(ratio), reached];
}

/** Those in whose rounds nginx took part. No table without one. */
export function nginxTables(measurements: readonly Measurement[]): Table[] {
  const beside = measurements.filter(({ measured }) => measured.samples.has('nginx'));
  if (beside.length === 0) return [];
  return [
    {
      title: 'Server CPU of one request beside nginx, in microseconds',
      columns: ['app and body', 'tuned', 'nginx', 'tuned/nginx', 'goal'],
      rows: beside.map(nginxRow),
    },
  ];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** A preload that falls back to Node would be measured just as well: what it did shows here. */
export function waysTable(ways: ReadonlyMap<string, Ways | undefined>): Table {
  return {
    title: 'How the tuned apps served their files',
    columns: ['app', 'streams rerouted', 'left to Node', 'calls of fs answered inline', 'by the thread pool'],
    rows: [...ways].map(([name, files]) =>
      files === undefined
        ? [name]
        : [name, files.reroutedStreams, sum(files.notRerouted), sum(files.inlineCalls), sum(files.pooledCalls)],
    ),
  };
}

/** The same request to each subject, as bars side by side. */
function comparison(group: readonly [Measurement, ...Measurement[]]): Comparison {
  const [{ request, subject }] = group;
  const { name } = request.body;
  const secure = subject.protocol === 'https';
  const points = group.flatMap(({ subject: { name: x }, measured }) =>
    barsOf(measured, 'cpuMicroseconds').map(({ contender, points: [point] }) => ({
      contender,
      point: { x, samples: point?.samples ?? [] },
    })),
  );
  const contenders = [...new Set(points.map(({ contender }) => contender))];
  return {
    id: `frameworks-cpu-${secure ? 'https-' : ''}${name}`,
    title: `CPU time of a request in frameworks: ${request.label}${secure ? ' by HTTPS' : ''}`,
    what: request.isFile
      ? `What an app uses of its processor for each request of a file of ${request.label}${secure ? ', encrypted' : ''}: in frameworks as people use them.`
      : 'What an app uses of its processor for each small answer that is no file.',
    unit: 'µs of CPU a request',
    better: 'lower',
    kind: 'bars',
    xTitle: 'app',
    series: contenders.map((contender) => ({
      contender,
      points: points.filter((one) => one.contender === contender).map(({ point }) => point),
    })),
  };
}

export function comparisons(measurements: readonly Measurement[]): Comparison[] {
  const groups = new Map<string, [Measurement, ...Measurement[]]>();
  for (const measurement of measurements) {
    const { subject, request } = measurement;
    const key = `${subject.protocol} ${request.body.name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [measurement]);
    else group.push(measurement);
  }
  return [...groups.values()].map(comparison);
}
