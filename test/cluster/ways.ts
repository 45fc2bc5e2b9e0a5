import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BY_IMPORT } from '../support/processes/node-process.js';
import { scratchProject } from '../support/processes/scratch-project.js';

/** Under what a cluster runs. */
export const WAYS = {
  stock: { preload: [], env: {} },
  everywhere: { preload: BY_IMPORT, env: { SOCKET_TUNE_REUSEPORT: 'on' } },
  cpu: { preload: BY_IMPORT, env: { SOCKET_TUNE_REUSEPORT: 'cpu' } },
  workersOnly: { preload: [], env: { SOCKET_TUNE_REUSEPORT: 'on' } },
} as const;

export type Way = keyof typeof WAYS;

/** The preload as a URL, for a worker whose primary does not have it. */
export function preloadFile(): string {
  return pathToFileURL(join(scratchProject(), 'node_modules/socket-tune/dist/register.js')).href;
}

/** A primary without the preload passes WORKERS_PRELOAD on to its workers. */
export function environmentOf(way: Way): Readonly<Record<string, string>> {
  return way === 'workersOnly' ? { ...WAYS[way].env, WORKERS_PRELOAD: preloadFile() } : WAYS[way].env;
}
