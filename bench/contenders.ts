import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bunProgram } from './bun.js';
import { COMPILER, compile, hasCompiler } from './compiler.js';
import { entry, hasProgram, PRELOAD } from './machine.js';
import { startNginx } from './nginx.js';
import type { Effort } from './scenario.js';
import { type Server, startServer } from './server.js';

/** One of the compared servers. */
export interface Contender {
  readonly name: string;
  readonly server: Server;
}

type Environment = Readonly<Record<string, string>>;

/** Servers that are starting, and reasons for the lack of others. */
export interface Lineup {
  readonly starting: readonly Promise<Contender>[];
  readonly missing: readonly string[];
}

async function run(name: string, command: readonly string[], environment: Environment = {}): Promise<Contender> {
  return { name, server: await startServer(command, { environment }) };
}

/** An app of ours on Node alone. `under` is a command that runs it, such as a tracer. */
export function stock(app: string, environment: Environment = {}, under: readonly string[] = []): Promise<Contender> {
  return run('stock', [...under, process.execPath, entry(app)], environment);
}

/** The same app under the preload, with variables. */
export function tuned(app: string, environment: Environment = {}, under: readonly string[] = []): Promise<Contender> {
  return run('tuned', [...under, process.execPath, '--import', PRELOAD, entry(app)], environment);
}

const LARGE_CHUNKS = String(1 << 20);

/** The stock app, tuned by hand: it reads files in fewer and larger pieces. */
function largeChunks(app: string, environment: Environment): Promise<Contender> {
  return run('stock 1 MiB', [process.execPath, entry(app)], { ...environment, HIGH_WATER_MARK: LARGE_CHUNKS });
}

async function nginx(files: string, scratch: string): Promise<Contender> {
  return { name: 'nginx', server: await startNginx(files, join(scratch, 'nginx')) };
}

function cLoop(files: string, scratch: string): Lineup {
  if (hasCompiler) return { starting: [run('C loop', [compile('sendfile-loop', scratch), files])], missing: [] };
  return {
    starting: [],
    missing: [`there is no C compiler (${COMPILER}): no comparison with a bare loop of epoll and sendfile`],
  };
}

function others(files: string, scratch: string, { quick }: Effort): Lineup {
  const starting: Promise<Contender>[] = [];
  const missing: string[] = ['uWebSockets.js is published on GitHub and not on npm: no comparison with it'];
  if (hasProgram('nginx')) starting.push(nginx(files, scratch));
  else missing.push('nginx is not installed: no comparison with it');
  const bun = bunProgram(!quick);
  const why = quick ? 'a quick run does not install it' : 'npm could not install it';
  if (bun === undefined) missing.push(`Bun is not installed, and ${why}: no comparison with it`);
  else starting.push(run('Bun', [bun, entry('apps/bun-server')], { FILES: files }));
  return { starting, missing };
}

interface LineupOptions {
  /** Leave out the app that was tuned by hand: it is by far the slowest with many connections. */
  readonly largeChunks?: false;
}

/** All servers of files by HTTP on this machine. */
export function httpLineup(files: string, scratch: string, effort: Effort, options: LineupOptions = {}): Lineup {
  const app = 'apps/file-server';
  const environment = { FILES: files };
  const loop = cLoop(files, scratch);
  const rest = others(files, scratch, effort);
  const starting = [
    stock(app, environment),
    ...(options.largeChunks === false ? [] : [largeChunks(app, environment)]),
    run('in memory', [process.execPath, entry('apps/memory-server')], environment),
    tuned(app, { ...environment, SOCKET_TUNE_REPORT: reportIn(scratch) }),
    ...loop.starting,
    ...rest.starting,
  ];
  return { starting, missing: [...loop.missing, ...rest.missing] };
}

/** All servers of files without HTTP. */
export function rawLineup(files: string, scratch: string): Lineup {
  const app = 'apps/raw-file-server';
  const environment = { FILES: files };
  const { starting, missing } = cLoop(files, scratch);
  return {
    starting: [
      stock(app, environment),
      largeChunks(app, environment),
      tuned(app, { ...environment, SOCKET_TUNE_REPORT: reportIn(scratch) }),
      ...starting,
    ],
    missing,
  };
}

function reportIn(scratch: string): string {
  return join(scratch, 'report.json');
}

/** The report must show sendfile: a preload that falls back to Node would be measured just as well. */
export function howFilesWent(scratch: string): string {
  const { files } = JSON.parse(readFileSync(reportIn(scratch), 'utf8'));
  const counts = (by: unknown): string => JSON.stringify(by).replaceAll('"', '');
  const gigabytes = (files.sendfileBytes / 2 ** 30).toFixed(1);
  return (
    `the tuned server sent ${gigabytes} GB of ${files.reroutedStreams} files by sendfile; ` +
    `copied bytes: ${counts(files.copiedBytes)}; files not rerouted: ${counts(files.notRerouted)}`
  );
}
