import type { Context } from 'mocha';

const reasons = new Map<string, string[]>();

/** Skip a test, or from a hook the tests of a suite. The reason is printed when all tests have run. */
export function skip(test: Context, why: string): never {
  const titles = reasons.get(why) ?? [];
  reasons.set(why, [...titles, (test.test ?? test.currentTest)?.fullTitle() ?? 'a test']);
  return test.skip();
}

/** What has been skipped, a line for each reason. */
export function skippedLines(): readonly string[] {
  return [...reasons].map(([why, titles]) => `skipped, as ${why}: ${titles.join('; ')}`);
}
