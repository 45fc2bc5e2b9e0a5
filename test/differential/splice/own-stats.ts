import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';

/** The report of this thread, of the package that the preload is of; `undefined` in stock Node. */
export async function ownStats(): Promise<(() => Report) | undefined> {
  if (!process.execArgv.includes('--import')) return undefined;
  const { resolve } = createRequire(join(process.cwd(), 'app.js'));
  const { stats } = (await import(resolve('socket-tune'))) as { stats: () => Report };
  return stats;
}
