import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Report } from '../../src/report/report.js';
import type { Seen } from '../differential/cluster/process-harness.js';
import { BY_IMPORT, type EndedProcess, readReport, reportFile, startNode } from '../support/processes/node-process.js';
import { scratchProject } from '../support/processes/scratch-project.js';
import { freePort } from '../support/sockets/free-port.js';

/** A cluster that has run to its end. */
export interface Performance {
  readonly process: EndedProcess;
  /** What each of its processes has seen. Who is killed has nothing to tell. */
  readonly seen: Readonly<Record<string, Seen>>;
  /** Those of the workers. */
  readonly reports: readonly Report[];
}

/** Under what a story runs. */
export const WAYS = {
  stock: { preload: [], env: {} },
  everywhere: { preload: BY_IMPORT, env: { SOCKET_TUNE_REUSEPORT: 'on' } },
  cpu: { preload: BY_IMPORT, env: { SOCKET_TUNE_REUSEPORT: 'cpu' } },
  workersOnly: { preload: [], env: { SOCKET_TUNE_REUSEPORT: 'on' } },
} as const;

export type Way = keyof typeof WAYS;

/** The preload as a worker is told of it whose primary knows nothing of it. */
export function preloadFile(): string {
  return pathToFileURL(join(scratchProject(), 'node_modules/socket-tune/dist/register.js')).href;
}

/** The reports of processes by their ids, from files with a name that has `%p` in it. */
export function readReports(pattern: string): ReadonlyMap<number, Report> {
  const [prefix = '', suffix = ''] = basename(pattern).split('%p');
  const found = new Map<number, Report>();
  for (const name of readdirSync(dirname(pattern))) {
    if (!name.startsWith(prefix)) continue;
    const report = readReport(join(dirname(pattern), name));
    if (report !== undefined) found.set(Number(name.slice(prefix.length, -suffix.length)), report);
  }
  return found;
}

const program = join(import.meta.dirname, 'program.js');

/** Run a story. */
export async function perform(module: string, title: string, way: Way): Promise<Performance> {
  const output = mkdtempSync(join(scratchProject(), 'story-'));
  const pattern = reportFile().replace('.json', '-%p.json');
  const { preload, env } = WAYS[way];
  const { child, ended } = startNode([...preload, program, module, title, output], {
    env: {
      ...env,
      ...(way === 'workersOnly' ? { WORKERS_PRELOAD: preloadFile() } : {}),
      SOCKET_TUNE_REPORT: pattern,
      STORY_PORT: String(await freePort()),
    },
  });
  const process = await ended;
  const seen = readdirSync(output).map((name) => [
    name.replace('.json', ''),
    JSON.parse(readFileSync(join(output, name), 'utf8')) as Seen,
  ]);
  const reports = [...readReports(pattern)].flatMap(([pid, report]) => (pid === child.pid ? [] : [report]));
  return { process, seen: Object.fromEntries(seen), reports };
}
