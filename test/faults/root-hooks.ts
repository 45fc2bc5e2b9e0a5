import { skippedLines } from '../support/test-run/skipped.js';
import { formatTally } from './tally.js';

/** Hooks for all tests: the counts are printed when all have run. */
export const mochaHooks = {
  afterAll(): void {
    process.stdout.write(`\nNode ${process.version}\n${formatTally()}\n`);
    for (const line of skippedLines()) process.stdout.write(`${line}\n`);
  },
};
