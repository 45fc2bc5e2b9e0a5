import { join } from 'node:path';
import { type AcceptSample, acceptSamples } from './accept.js';
import { applySamples } from './apply.js';
import { howFilesWent, stock, tuned } from './contenders.js';
import { loadOf, type Measured, measure, paceOf, type Sample } from './load.js';
import { withLoadClients } from './load-client.js';
import { ratioCell, ratioOf } from './ratio.js';
import { remembered } from './remembered.js';
import { type RequestSample, requestSamples, SPLIT, WHOLE } from './request-samples.js';
import type { Cell, Comparison, Effort, Point, Result, Scenario, Series } from './scenario.js';
import { kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median } from './statistics.js';

const APP = 'apps/file-server';
const CONNECTIONS = 8;
const LOADS = [10, 10 << 10]
  .map(kilobytes)
  .map((body) => loadOf({ x: body.bytes, label: sizeLabel(body.bytes), body, connections: CONNECTIONS }));

/** A figure of the seed's report; undefined if the seed has none. */
interface Reported {
  readonly baseline?: number | string;
  readonly tuned?: number | string;
}

/** One figure of the seed's tables, and ours round by round. */
interface Line {
  readonly what: string;
  readonly seed: Reported;
  readonly stock: readonly number[];
  readonly tuned: readonly number[];
}

const SEED = "the seed's, in Go on a 4-core laptop";

/** Files by sendfile against read and write: the same app, with and without us. */
const fileSamples = remembered(
  (effort: Effort): Promise<{ readonly measured: readonly Measured[]; readonly how: string }> =>
    withScratch(async (scratch) => {
      writeBodies(
        scratch,
        LOADS.map(({ body }) => body),
      );
      const environment = { FILES: scratch, SOCKET_TUNE_REPORT: join(scratch, 'report.json') };
      const measured = await withLoadClients((open) =>
        withServers([stock(APP, environment), tuned(APP, environment)], (contenders) =>
          measure(open, contenders, LOADS, paceOf(effort)),
        ),
      );
      return { measured, how: howFilesWent(scratch) };
    }),
);

async function connectionLines(effort: Effort): Promise<Line[]> {
  const samples = await acceptSamples(effort);
  const line = (what: string, seed: Reported, of: (sample: AcceptSample) => number): Line => ({
    what,
    seed,
    stock: samples.stock.map(of),
    tuned: samples.tuned.map(of),
  });
  return [
    line('a connection with one request, µs', { baseline: 32.5, tuned: 29.8 }, ({ perSecond }) => 1e6 / perSecond),
    line('connections per second', { baseline: 18_291, tuned: 20_203 }, ({ perSecond }) => perSecond),
    line('server CPU of a connection, µs', {}, ({ cpuMicroseconds }) => cpuMicroseconds),
  ];
}

async function requestLines(effort: Effort): Promise<Line[]> {
  const shapes = await requestSamples(effort);
  const line = (what: string, shape: string, seed: Reported, of: (sample: RequestSample) => number): Line => {
    const samples = (server: string): number[] => (shapes.get(shape)?.get(server) ?? []).map(of);
    return { what, seed, stock: samples('stock'), tuned: samples('tuned') };
  };
  const microseconds = ({ p50Milliseconds }: RequestSample): number => p50Milliseconds * 1e3;
  return [
    line('a small request, µs', WHOLE.name, { baseline: 5.4, tuned: '20-30 % less, expected' }, microseconds),
    line('server CPU of a small request, µs', WHOLE.name, {}, ({ cpuMicroseconds }) => cpuMicroseconds),
    line('a small request in two writes, µs', SPLIT.name, {}, microseconds),
  ];
}

function fileLines(measured: readonly Measured[]): Line[] {
  const seeds: readonly (readonly [Reported, Reported])[] = [
    [{ tuned: 158 }, {}],
    [{ tuned: 6723 }, { tuned: 'about 70 % less, expected' }],
  ];
  return measured.flatMap(({ load, samples }, index) => {
    const [throughput = {}, cpu = {}] = seeds[index] ?? [];
    const line = (what: string, seed: Reported, of: keyof Sample): Line => {
      const values = (server: string): number[] => (samples.get(server) ?? []).map((sample) => sample[of]);
      return { what, seed, stock: values('stock'), tuned: values('tuned') };
    };
    return [
      line(`files of ${load.label}, MB/s`, throughput, 'megabytesPerSecond'),
      line(`server CPU of a file of ${load.label}, µs`, cpu, 'cpuMicroseconds'),
    ];
  });
}

async function applyLines(effort: Effort): Promise<Line[]> {
  const samples = (await applySamples(effort)).find(({ preset }) => preset === 'default');
  return [
    { what: 'apply, ns', seed: { tuned: 29_500 }, stock: [], tuned: samples?.nanosecondsPerCall ?? [] },
    { what: 'apply, bytes allocated', seed: { tuned: 0 }, stock: [], tuned: samples?.bytesPerCall ?? [] },
  ];
}

function row({ what, seed, stock: plain, tuned: ours }: Line): Cell[] {
  const measured = plain.length > 0;
  return [
    what,
    seed.baseline,
    seed.tuned,
    measured ? median(plain) : undefined,
    median(ours),
    measured ? ratioCell(ratioOf(ours, plain)) : undefined,
  ];
}

/** Our figures of a kind beside those of the seed. */
function comparison(id: string, title: string, what: string, unit: string, lines: readonly Line[]): Comparison {
  const points = (of: (line: Line) => readonly number[]): Point[] =>
    lines.map((line) => ({ x: line.what, samples: of(line) })).filter(({ samples }) => samples.length > 0);
  const reported = (of: 'baseline' | 'tuned'): Point[] =>
    points(({ seed }) => (typeof seed[of] === 'number' ? [seed[of]] : []));
  const series: Series[] = [
    { contender: 'stock', points: points((line) => line.stock) },
    { contender: 'tuned', points: points((line) => line.tuned) },
    { contender: `${SEED}, baseline`, isQuoted: true, points: reported('baseline') },
    { contender: `${SEED}, tuned`, isQuoted: true, points: reported('tuned') },
  ];
  return {
    id,
    title,
    what,
    unit,
    better: unit === 'MB/s' ? 'higher' : 'lower',
    kind: 'bars',
    xTitle: '',
    series: series.filter((one) => one.points.length > 0),
  };
}

const SEED_NOTE = 'The figures of the package that this one began as stand beside ours: another language and machine.';

async function run(effort: Effort): Promise<Result> {
  const { measured, how } = await fileSamples(effort);
  const connections = await connectionLines(effort);
  const requests = await requestLines(effort);
  const files = fileLines(measured);
  const apply = await applyLines(effort);
  const withUnit = (lines: readonly Line[], unit: string): Line[] => lines.filter(({ what }) => what.endsWith(unit));
  return {
    tables: [
      {
        title: "The seed's tables, reproduced",
        columns: ['', `${SEED}: baseline`, 'tuned', 'here: stock', 'tuned', 'tuned/stock'],
        rows: [...connections, ...requests, ...files, ...apply].map(row),
      },
    ],
    comparisons: [
      comparison('seed-connections', 'New connections', SEED_NOTE, 'µs', connections.slice(0, 1)),
      comparison('seed-small-request', 'A small request', SEED_NOTE, 'µs', requests.slice(0, 1)),
      comparison('seed-sendfile', 'Files by sendfile', SEED_NOTE, 'MB/s', withUnit(files, 'MB/s')),
      comparison('seed-apply', 'Setting the options of one connection', SEED_NOTE, 'ns', apply.slice(0, 1)),
    ],
    notes: [
      'The seed does not say what a connection, or a small request, of its benchmarks holds; here it is HTTP by Node, client and server on a core each',
      "Its +8.3 % are the connection's time; what it has measured of small requests is the baseline",
      `files over HTTP to ${CONNECTIONS} connections; stock is read and write, and what is below SOCKET_TUNE_SENDFILE_MIN is copied from the page cache: ${how}`,
    ],
  };
}

export const seedTables: Scenario = {
  name: 'seed',
  what: 'throughput of files, and the time of small requests, at a glance',
  run,
};
