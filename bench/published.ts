// `npx socket-tune bench`: src/cli/bench.ts loads this from dist/bench on demand.

import { BenchError, type BenchOptions, bench } from './command.js';
import { SCENARIOS } from './scenarios.js';

/** List of the scenarios, for people. */
export function listScenarios(): string {
  const line = ({ name, what, onlyByName }: (typeof SCENARIOS)[0]): string =>
    `${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`;
  return [...SCENARIOS.map(line), '', 'Without --only all of them run, but for those that run only by name.'].join(
    '\n',
  );
}

/** @returns whether every measurement succeeded, or the error in the command */
export async function measure(options: BenchOptions): Promise<string | boolean> {
  try {
    return await bench(SCENARIOS, options);
  } catch (error) {
    if (error instanceof BenchError) return error.message;
    throw error;
  }
}
