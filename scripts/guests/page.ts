/** docs/platforms.md, made from what the guests told. */
import { fileURLToPath } from 'node:url';
import type { FileRound, Finding } from './finding.js';
import type { GuestResult } from './results.js';

export const PLATFORMS_PAGE = fileURLToPath(new URL('../../../docs/platforms.md', import.meta.url));

export function summaryOf(finding: Finding): string {
  return JSON.stringify(finding);
}

export function platformsPage(results: readonly GuestResult[]): string {
  return JSON.stringify(results satisfies readonly { findings: readonly { rounds: readonly FileRound[] }[] }[]);
}
