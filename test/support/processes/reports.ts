import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { readReport, reportFile } from './node-process.js';

/** A file name for the reports of several processes: each puts its id for `%p`. */
export function reportPattern(): string {
  return reportFile().replace('.json', '-%p.json');
}

/** The reports of processes by their ids. */
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

/** Whether a listener shares its port, as the kernel tells it. */
export function sharesPort({ outcomes }: Report['listeners'][number]): boolean {
  return outcomes.some(({ constant, kernel }) => constant === 'SO_REUSEPORT' && kernel === 1);
}
