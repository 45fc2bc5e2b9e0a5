import type { Context } from 'mocha';
import { lookAround, type Surroundings, undoLeftovers } from './support/test-run/leftovers.js';
import { watchPrinting } from './support/test-run/printed.js';

const complaints: string[] = [];
let before: Surroundings | undefined;
let current = 'no test';
let unwatch: () => void = () => undefined;

/** What mocha does besides the tests: each of them leaves nothing behind and prints nothing, or the run fails in the end. */
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
    // What a test was about to take back when it failed is no failure of its own.
    if (!hasFailed) complaints.push(...left.map((what) => `${test.fullTitle()} has left: ${what}`));
  },

  afterAll(): void {
    unwatch();
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  },
};
