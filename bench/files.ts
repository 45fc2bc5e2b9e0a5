import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, withClient } from './client.js';
import { type Contender, others, stock, tuned } from './contenders.js';
import { type Load, type Sample, serve } from './load.js';
import { interleave } from './rounds.js';
import { type Cell, type Effort, goal, type Result, type Scenario, type Table } from './scenario.js';
import { kilobytes, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median, pairedRatio } from './statistics.js';

const APP = 'apps/file-server';
const CONNECTIONS = 8;
const ROUNDS = 5;

/** Requests of a round: enough for the slowest contender to use a second, and the fastest 0.2 s, by a clock of 10 ms. */
const LOADS: readonly Load[] = [
  { body: kilobytes(10), requests: 16_000, connections: CONNECTIONS },
  { body: kilobytes(100), requests: 10_000, connections: CONNECTIONS },
  { body: kilobytes(1 << 10), requests: 1_200, connections: CONNECTIONS },
  { body: kilobytes(10 << 10), requests: 160, connections: CONNECTIONS },
  { body: kilobytes(100 << 10), requests: 16, connections: CONNECTIONS },
];

/** Server CPU of the tuned app as a share of the stock one's, by the body. */
const GOALS: readonly number[] = [0.33, 0.25, 0.33, 0.33, 0.33];

/** The samples of one load, by the contender's name. */
type Samples = ReadonlyMap<string, readonly Sample[]>;

async function measure(client: Client, contenders: readonly Contender[], load: Load, rounds: number): Promise<Samples> {
  const samples = await interleave(contenders, rounds, (contender) => serve(client, contender, load));
  return new Map(contenders.map(({ name }, index) => [name, samples[index] ?? []]));
}

function medianOf(samples: Samples, contender: string, of: keyof Sample): number | undefined {
  const found = samples.get(contender);
  return found === undefined ? undefined : median(found.map((sample) => sample[of]));
}

function ratioToStock(samples: Samples, of: keyof Sample): number {
  const values = (name: string): number[] => samples.get(name)?.map((sample) => sample[of]) ?? [];
  return pairedRatio(values('tuned'), values('stock'));
}

function row(load: Load, samples: Samples, of: keyof Sample): Cell[] {
  const cell = (contender: string): Cell => medianOf(samples, contender, of);
  return [load.body.name, cell('stock'), cell('tuned'), ratioToStock(samples, of), cell('nginx'), cell('C loop')];
}

function cpuRow(load: Load, samples: Samples, atMost: number | undefined): Cell[] {
  const figures = row(load, samples, 'cpuMicroseconds');
  return [...figures, atMost === undefined ? '' : goal(ratioToStock(samples, 'cpuMicroseconds'), atMost)];
}

function throughputRow(load: Load, samples: Samples): Cell[] {
  const busy = medianOf(samples, 'tuned', 'busy') ?? 0;
  return [...row(load, samples, 'requestsPerSecond'), `${Math.round(busy * 100)} %`];
}

/** A preload that always let Node copy would be measured as well, so the report has to say that it did not. */
function howFilesWent(report: string): string {
  const { files } = JSON.parse(readFileSync(report, 'utf8'));
  const counts = (by: unknown): string => JSON.stringify(by).replaceAll('"', '');
  const gigabytes = (files.sendfileBytes / 2 ** 30).toFixed(1);
  return (
    `the tuned server sent ${gigabytes} GB of ${files.reroutedStreams} files by sendfile; ` +
    `copied bytes: ${counts(files.copiedBytes)}; files not rerouted: ${counts(files.notRerouted)}`
  );
}

async function measureAll(contenders: readonly Contender[], { quick }: Effort): Promise<[Load, Samples][]> {
  const loads = quick ? LOADS.map((load) => ({ ...load, requests: load.requests / 2 })) : LOADS;
  return withClient(async (client) => {
    const all: [Load, Samples][] = [];
    for (const load of loads) all.push([load, await measure(client, contenders, load, roundsFor(quick))]);
    return all;
  });
}

const roundsFor = (quick: boolean): number => (quick ? 3 : ROUNDS);

const COLUMNS = ['body', 'stock', 'tuned', 'tuned/stock', 'nginx', 'C loop'];

function tables(measured: readonly [Load, Samples][]): Table[] {
  return [
    {
      title: 'Server CPU of one request, in microseconds',
      columns: [...COLUMNS, 'goal'],
      rows: measured.map(([load, samples], index) => cpuRow(load, samples, GOALS[index])),
    },
    {
      title: 'Requests per second',
      columns: [...COLUMNS, 'tuned busy'],
      rows: measured.map(([load, samples]) => throughputRow(load, samples)),
    },
  ];
}

function run(effort: Effort): Promise<Result> {
  return withScratch(async (scratch) => {
    const report = join(scratch, 'report.json');
    const environment = { FILES: scratch, SOCKET_TUNE_REPORT: report };
    writeBodies(
      scratch,
      LOADS.map(({ body }) => body),
    );
    const { starting, missing } = others(scratch, scratch);
    const started = [stock(APP, environment), tuned(APP, environment), ...starting];
    const measured = await withServers(started, (contenders) => measureAll(contenders, effort));
    return {
      tables: tables(measured),
      notes: [
        `${CONNECTIONS} connections, kept alive; medians of ${roundsFor(effort.quick)} interleaved rounds`,
        'tuned busy: share of its core that the tuned server used; well below 100 %, the client was the limit',
        howFilesWent(report),
        ...missing,
      ],
    };
  });
}

export const files: Scenario = {
  name: 'files',
  what: 'files of several sizes over HTTP, server CPU and throughput',
  run,
};
