import { skippedLines } from '../support/test-run/skipped.js';
import { formatTally } from './tally.js';

/** What mocha does besides the tests: the counts are printed when all of them have run. */
export const mochaHooks = {
  afterAll(): void {
    process.stdout.write(`\nNode ${process.version}\n${formatTally()}\n`);
    for (const line of skippedLines()) process.stdout.write(`${line}\n`);
  },
};
