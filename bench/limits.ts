import { type Client, withClient } from './client.js';
import { type Contender, tuned } from './contenders.js';
import { type Load, type Sample, serve } from './load.js';
import { interleave } from './rounds.js';
import type { Cell, Effort, Result, Scenario, Table } from './scenario.js';
import { kilobytes, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median, pairedRatio } from './statistics.js';

const APP = 'apps/file-server';
const CONNECTIONS = 8;
const ROUNDS = 7;

/** Bodies about the least that is worth sending by sendfile. */
const SMALL: readonly Load[] = [4, 8, 16, 32, 64, 100].map((size) => ({
  body: kilobytes(size),
  requests: 12_000,
  connections: CONNECTIONS,
}));

const LARGE: Load = { body: kilobytes(10 << 10), requests: 160, connections: CONNECTIONS };

const WINDOWS = ['64k', '128k', '256k', '512k', '1m', '2m', '4m'] as const;

type Environment = Readonly<Record<string, string>>;

async function contender(name: string, environment: Environment): Promise<Contender> {
  const { server } = await tuned(APP, environment);
  return { name, server };
}

function cpuOf(samples: readonly Sample[]): number[] {
  return samples.map((sample) => sample.cpuMicroseconds);
}

/** Small bodies with and without sendfile. */
async function leastSize(client: Client, files: string, { quick }: Effort): Promise<Table> {
  const off = contender('off', { FILES: files, SOCKET_TUNE_SENDFILE: 'off' });
  const on = contender('on', { FILES: files, SOCKET_TUNE_SENDFILE_MIN: '1' });
  const rows = await withServers([off, on], async (contenders) => {
    const found: Cell[][] = [];
    for (const load of SMALL) {
      const samples = await interleave(contenders, quick ? 3 : ROUNDS, (one) => serve(client, one, load));
      const [without = [], using = []] = samples.map(cpuOf);
      found.push([load.body.name, median(without), median(using), pairedRatio(using, without)]);
    }
    return found;
  });
  return {
    title: 'Server CPU of one request, in microseconds, by SOCKET_TUNE_SENDFILE (SOCKET_TUNE_SENDFILE_MIN=1)',
    columns: ['body', 'off', 'on', 'on/off'],
    rows,
  };
}

async function windows(client: Client, files: string, { quick }: Effort): Promise<Table> {
  const starting = WINDOWS.map((window) => contender(window, { FILES: files, SOCKET_TUNE_SENDFILE_WINDOW: window }));
  const samples = await withServers(starting, (contenders) =>
    interleave(contenders, quick ? 3 : ROUNDS, (one) => serve(client, one, LARGE)),
  );
  const rows = WINDOWS.map((window, index) => {
    const own = samples[index] ?? [];
    return [window, median(cpuOf(own)), median(own.map((sample) => sample.requestsPerSecond))];
  });
  return {
    title: `A body of ${LARGE.body.name} by SOCKET_TUNE_SENDFILE_WINDOW`,
    columns: ['window', 'server CPU, microseconds', 'requests per second'],
    rows,
  };
}

function run(effort: Effort): Promise<Result> {
  return withScratch(async (files) => {
    writeBodies(
      files,
      [...SMALL, LARGE].map(({ body }) => body),
    );
    const tables = await withClient(async (client) => [
      await leastSize(client, files, effort),
      await windows(client, files, effort),
    ]);
    return { tables, notes: [`${CONNECTIONS} connections, kept alive; medians of interleaved rounds`] };
  });
}

/** What the defaults of the two settings are chosen by. */
export const limits: Scenario = {
  name: 'limits',
  what: 'the size from which sendfile pays, and its window',
  onlyByName: true,
  run,
};
