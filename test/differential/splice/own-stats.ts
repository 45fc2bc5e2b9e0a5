import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';

/** The report of this thread, of the package that the preload is of; `undefined` in stock Node. */
export function ownStats(): (() => Report) | undefined {
  if (!process.execArgv.includes('--import')) return undefined;
  const { stats }: { stats: () => Report } = createRequire(join(process.cwd(), 'app.js'))('socket-tune');
  return stats;
}
