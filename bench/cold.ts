import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { cachedPages, evict } from '../test/support/files/page-cache.js';
import { type Contender, howFilesWent, httpLineup } from './contenders.js';
import { type Load, loadOf, type Measured, paceOf, type Sample, warmUpBy } from './load.js';
import { type OpenClient, withLoadClients } from './load-client.js';
import { barsOf, tableOf } from './load-figures.js';
import { interleaveByName } from './rounds.js';
import type { Comparison, Effort, Result, Scenario } from './scenario.js';
import { type Body, kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';

const bodiesFor = ({ quick }: Effort): readonly Body[] =>
  (quick ? [10 << 10] : [10, 1 << 10, 100 << 10]).map(kilobytes);

/** Requests a round: the speed of disks varies. */
const requestsFor = ({ quick }: Effort, { bytes }: Body): number => (quick || bytes > 10 << 20 ? 3 : 10);
const roundsFor = ({ quick }: Effort): number => (quick ? 3 : 5);

/** Requests before a measurement. A file on disk takes other code than a file in memory. */
const warmUpsFor = ({ bytes }: Body): number => Math.ceil(Math.min(200, 2e7 / bytes));

/** Run `use` with a descriptor of a file that is not in the page cache. */
function withDescriptor<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whether files of the scratch directory can leave the page cache. Those of tmpfs cannot. */
function letsGo(directory: string, { name, bytes }: Body): boolean {
  return withDescriptor(join(directory, name), (fd) => {
    evict(fd);
    return !cachedPages(fd, bytes).includes(true);
  });
}

/** One request after another on one connection. Before each, the file is dropped from the page cache. */
async function serveCold(
  open: OpenClient,
  { server }: Contender,
  { body }: Load,
  directory: string,
  requests: number,
): Promise<Sample> {
  const target = { protocol: 'http', path: body.name, bodyLength: body.bytes, connections: 1 } as const;
  const client = await open({ port: server.port, ...target });
  let cpuSeconds = 0;
  let seconds = 0;
  try {
    for (let request = 0; request < requests; request++) {
      await server.idle();
      withDescriptor(join(directory, body.name), evict);
      const before = server.cpuSeconds();
      seconds += (await client.run({ seconds: 60, requests: 1 })).seconds;
      await server.idle();
      cpuSeconds += server.cpuSeconds() - before;
    }
  } finally {
    await client.close();
  }
  return {
    cpuMicroseconds: (cpuSeconds / requests) * 1e6,
    requestsPerSecond: requests / seconds,
    megabytesPerSecond: (requests * body.bytes) / seconds / 1e6,
    busy: cpuSeconds / seconds,
  };
}

function comparisons(measured: readonly Measured[]): Comparison[] {
  return measured.flatMap((one): Comparison[] => {
    const { label, body } = one.load;
    const shared = { kind: 'bars', xTitle: 'size of the file' } as const;
    return [
      {
        id: `cold-cpu-${body.name}`,
        title: `CPU time to serve a file of ${label} from the disk`,
        what: 'What a server uses of its processor for a file that is not in memory.',
        unit: 'µs of CPU a request',
        better: 'lower',
        ...shared,
        series: barsOf(one, 'cpuMicroseconds'),
      },
      {
        id: `cold-throughput-${body.name}`,
        title: `Throughput of a file of ${label} from the disk`,
        what: 'How fast a file arrives that is not in memory; the disk has its say.',
        unit: 'MB/s',
        better: 'higher',
        ...shared,
        series: barsOf(one, 'megabytesPerSecond'),
      },
    ];
  });
}

async function measureAll(
  open: OpenClient,
  all: readonly Contender[],
  directory: string,
  effort: Effort,
): Promise<Measured[]> {
  // A server with files in its own memory does not use the page cache.
  const contenders = all.filter(({ name }) => name !== 'in memory');
  const measured: Measured[] = [];
  for (const body of bodiesFor(effort)) {
    const load = loadOf({ x: body.bytes, label: sizeLabel(body.bytes), body, connections: 1 });
    for (const contender of contenders) {
      await warmUpBy(open, contender, load, paceOf(effort).warmUp);
      await serveCold(open, contender, load, directory, warmUpsFor(body));
    }
    const samples = await interleaveByName(contenders, roundsFor(effort), (contender) =>
      serveCold(open, contender, load, directory, requestsFor(effort, body)),
    );
    measured.push({ load, samples });
  }
  return measured;
}

function run(effort: Effort): Promise<Result> {
  return withScratch(async (scratch) => {
    const bodies = bodiesFor(effort);
    writeBodies(scratch, bodies);
    if (!bodies.every((body) => letsGo(scratch, body))) {
      return {
        tables: [],
        notes: [`the file system of ${scratch} keeps files in memory: none was measured from a disk`],
      };
    }
    const { starting, missing } = httpLineup(scratch, scratch, effort);
    const measured = await withLoadClients((open) =>
      withServers(starting, (contenders) => measureAll(open, contenders, scratch, effort)),
    );
    return {
      tables: [
        tableOf('Server CPU of one request, in microseconds', 'body', measured, 'cpuMicroseconds'),
        tableOf('MB/s', 'body', measured, 'megabytesPerSecond'),
      ],
      comparisons: comparisons(measured),
      notes: [
        `one request at a time, for a file that was taken out of the page cache before (by mincore, it was); medians of ${roundsFor(effort)} interleaved rounds`,
        howFilesWent(scratch),
        ...missing,
      ],
    };
  });
}

export const cold: Scenario = { name: 'cold', what: 'files that are not in memory, from the disk', run };
