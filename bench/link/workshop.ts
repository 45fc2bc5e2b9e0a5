import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { COMPILER, compile, hasCompiler } from '../compiler.js';
import type { Result } from '../scenario.js';
import { withScratch, writeBodies } from '../scratch.js';
import { HTTP_PORT, type Lane, type Workshop } from './lane.js';
import { SERVER_ADDRESS } from './link.js';
import { makeNamespaces } from './namespaces.js';
import { fileName, link, type Sized } from './points.js';

/** Greatest number of 'exit' listeners: each process of a lane adds one. */
const MOST_PROCESSES = 64;

/** Size of a page. */
export const PAGE: Sized = { megabytes: 0.1 };

const WARM_UPS = 30;
const WARM_UP_MS = 5000;

/** Reason that links are not possible here; undefined if they are. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  if (!hasCompiler) return `there is no C compiler (${COMPILER})`;
  try {
    makeNamespaces().remove();
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made (root is needed): ${error instanceof Error ? error.message : error}`;
  }
}

function workshopIn(scratch: string, sizes: readonly Sized[]): Workshop {
  const files = join(scratch, 'files');
  mkdirSync(files);
  const names = new Set([PAGE, ...sizes].map(fileName));
  writeBodies(
    files,
    [...names].map((name) => ({ name, bytes: Number(name) })),
  );
  const report = (contender: string): string => join(scratch, `report-${contender}.json`);
  return {
    scratch,
    link: compile('link', scratch, 'link'),
    client: compile('client', scratch, 'link'),
    app: 'apps/link-server',
    report,
    environment: (contender) => ({ FILES: files, SOCKET_TUNE_REPORT: report(contender) }),
  };
}

/**
 * Run a measurement across links, where they are possible.
 *
 * @param sizes of the served files
 */
export function onLinks(sizes: readonly Sized[], measure: (workshop: Workshop) => Promise<Result>): Promise<Result> {
  const why = obstacle();
  if (why !== undefined) return Promise.resolve({ tables: [], notes: [`skipped, as ${why}`] });
  process.setMaxListeners(MOST_PROCESSES);
  return withScratch((scratch) => measure(workshopIn(scratch, sizes)));
}

/** Requests until the compiler is done. */
export async function warmUp(lane: Lane): Promise<void> {
  await lane.link.set(link(1, 100), 0);
  for (const path of ['/memory/1000', `/file/${fileName(PAGE)}`]) {
    await lane.ask('again', SERVER_ADDRESS, HTTP_PORT, path, WARM_UPS);
  }
  for (let time = 0; time < WARM_UPS; time++) await lane.ask('put', SERVER_ADDRESS, HTTP_PORT, 100_000, 1, WARM_UP_MS);
}
