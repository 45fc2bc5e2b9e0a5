import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Finding } from './finding.js';
import { GUESTS, type Guest } from './guests.js';
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
  const result = { name, what, date, findings };
  const recorded = readResults();
  // In the order of the guests, whichever ran last.
  const results = GUESTS.flatMap((guest) =>
    guest.name === name ? [result] : recorded.filter((other) => other.name === guest.name),
  );
  writeFileSync(RESULTS_FILE, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(PLATFORMS_PAGE, platformsPage(results));
}

// As a script, this file makes the page anew.
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PLATFORMS_PAGE, platformsPage(readResults()));
