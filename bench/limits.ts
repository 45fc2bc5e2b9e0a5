import { type Contender, tuned } from './contenders.js';
import { type Load, loadOf, type Measured, measure, paceOf } from './load.js';
import { type OpenClient, withLoadClients } from './load-client.js';
import { seriesOf, tableOf } from './load-figures.js';
import type { Comparison, Effort, Result, Scenario } from './scenario.js';
import { type Body, kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';

const APP = 'apps/file-server';
const CONNECTIONS = 8;

function loadFor(body: Body): Load {
  return loadOf({ x: body.bytes, label: sizeLabel(body.bytes), body, connections: CONNECTIONS });
}

/** Bodies around the least size for sendfile. */
const SMALL = [4, 8, 16, 32, 64, 100].map(kilobytes).map(loadFor);

const LARGE = loadFor(kilobytes(10 << 10));

const WINDOWS = ['64k', '128k', '256k', '512k', '1m', '2m', '4m'] as const;

type Environment = Readonly<Record<string, string>>;

async function contender(name: string, environment: Environment): Promise<Contender> {
  const { server } = await tuned(APP, environment);
  return { name, server };
}

/** Small bodies with and without sendfile. */
function leastSize(open: OpenClient, files: string, effort: Effort): Promise<Measured[]> {
  const off = contender('off', { FILES: files, SOCKET_TUNE_SENDFILE: 'off' });
  const on = contender('on', { FILES: files, SOCKET_TUNE_SENDFILE_MIN: '1' });
  return withServers([off, on], (contenders) => measure(open, contenders, SMALL, paceOf(effort)));
}

function windows(open: OpenClient, files: string, effort: Effort): Promise<Measured[]> {
  const starting = WINDOWS.map((window) => contender(window, { FILES: files, SOCKET_TUNE_SENDFILE_WINDOW: window }));
  return withServers(starting, (contenders) => measure(open, contenders, [LARGE], paceOf(effort)));
}

function comparison(id: string, title: string, what: string, measured: readonly Measured[]): Comparison {
  return {
    id,
    title,
    what,
    unit: 'µs of CPU a request',
    better: 'lower',
    kind: measured.length > 1 ? 'curve' : 'bars',
    xTitle: 'size of the file, in bytes',
    xScale: 'log',
    yScale: 'log',
    series: seriesOf(measured, 'cpuMicroseconds'),
  };
}

function run(effort: Effort): Promise<Result> {
  return withScratch(async (files) => {
    writeBodies(
      files,
      [...SMALL, LARGE].map(({ body }) => body),
    );
    const [small, large] = await withLoadClients(async (open) => [
      await leastSize(open, files, effort),
      await windows(open, files, effort),
    ]);
    if (small === undefined || large === undefined) throw new Error('nothing was measured');
    const cpu = 'Server CPU of one request, in microseconds, by';
    return {
      tables: [
        tableOf(`${cpu} SOCKET_TUNE_SENDFILE (SOCKET_TUNE_SENDFILE_MIN=1)`, 'body', small, 'cpuMicroseconds', [
          'on',
          'off',
        ]),
        tableOf(`${cpu} SOCKET_TUNE_SENDFILE_WINDOW`, 'body', large, 'cpuMicroseconds'),
        tableOf('Requests per second, by SOCKET_TUNE_SENDFILE_WINDOW', 'body', large, 'requestsPerSecond'),
      ],
      comparisons: [
        comparison('limits-least', 'From which size sendfile pays', 'Small files copied, and sent by sendfile.', small),
        comparison(
          'limits-window',
          'How much a call of sendfile takes',
          'A large file in windows of some sizes.',
          large,
        ),
      ],
      notes: [`${CONNECTIONS} connections, kept alive; medians of interleaved rounds`],
    };
  });
}

/** Measurements behind the defaults of the two settings. */
export const limits: Scenario = {
  name: 'limits',
  what: 'from which size on sendfile pays for a file, and in pieces of which size (SENDFILE_MIN, SENDFILE_WINDOW)',
  onlyByName: true,
  run,
};
