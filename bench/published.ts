// What `npx socket-tune bench` runs: src/cli/bench.ts loads it from dist/bench, when it is asked for.

import { BenchError, type BenchOptions, bench } from './command.js';
import { SCENARIOS } from './scenarios.js';

/** What there is to be measured, for people. */
export function listScenarios(): string {
  const line = ({ name, what, onlyByName }: (typeof SCENARIOS)[0]): string =>
    `${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`;
  return SCENARIOS.map(line).join('\n');
}

/** @returns whether all could be measured, or what is wrong with the command */
export async function measure(options: BenchOptions): Promise<string | boolean> {
  try {
    return await bench(SCENARIOS, options);
  } catch (error) {
    if (error instanceof BenchError) return error.message;
    throw error;
  }
}
