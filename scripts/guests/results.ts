import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from './finding.js';
import type { Guest } from './guests.js';
import { PLATFORMS_PAGE, platformsPage } from './page.js';

const RESULTS_FILE = fileURLToPath(new URL('../../../scripts/guests/results.json', import.meta.url));

/** What a guest told when it ran last. */
export interface GuestResult {
  readonly name: string;
  readonly what: string;
  /** A day, as 2026-11-29. */
  readonly date: string;
  readonly findings: readonly Finding[];
}

export function readResults(): GuestResult[] {
  return existsSync(RESULTS_FILE) ? (JSON.parse(readFileSync(RESULTS_FILE, 'utf8')) as GuestResult[]) : [];
}

/** Write a guest's findings down in place of its last ones, and make the page anew. */
export function recordResult({ name, what }: Guest, findings: readonly Finding[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const others = readResults().filter((result) => result.name !== name);
  const results = [...others, { name, what, date, findings }];
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(PLATFORMS_PAGE, platformsPage(results));
}
