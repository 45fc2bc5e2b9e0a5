import type { Context } from 'mocha';
import { lookAround, type Surroundings, undoLeftovers } from './support/test-run/leftovers.js';
import { watchPrinting } from './support/test-run/printed.js';

const complaints: string[] = [];
let before: Surroundings | undefined;
let current = 'no test';
let unwatch: () => void = () => undefined;

/** Hooks for all tests: if one leaves something behind or prints, the run fails at its end. */
export const mochaHooks = {
  beforeAll(): void {
    unwatch = watchPrinting((text) => complaints.push(`${current} has printed: ${text.trimEnd()}`));
  },

  beforeEach(this: Context): void {
    current = this.currentTest?.fullTitle() ?? '';
    before = lookAround();
  },

  async afterEach(this: Context): Promise<void> {
    const { currentTest: test } = this;
    if (before === undefined || test === undefined) return;
    // One that is to run again has no state.
    const hasFailed = test.state !== 'passed';
    const left = await undoLeftovers(before, hasFailed);
    // A failed test may not have reached its cleanup. That is no failure of its own.
    if (!hasFailed) complaints.push(...left.map((what) => `${test.fullTitle()} has left: ${what}`));
  },

  afterAll(): void {
    unwatch();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  },
};
