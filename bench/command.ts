import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './machine.js';
import { recordMachine } from './machine-record.js';
import { type Results, readResults, type ScenarioResult, scenarioResult, writeResults } from './results.js';
import type { Scenario } from './scenario.js';
import { formatResult } from './table.js';

export interface BenchOptions {
  readonly quick: boolean;
  /** Only these scenarios. */
  readonly only?: readonly string[] | undefined;
  readonly json: boolean;
  /** A directory for results.json, results.md and index.html. */
  readonly out?: string | undefined;
  /** Measures nothing, but writes the pages of an earlier run, from its results.json. */
  readonly from?: string | undefined;
}

/** The command was not understood, or cannot be had here. */
export class BenchError extends Error {}

function chosen(scenarios: readonly Scenario[], only: readonly string[] | undefined): readonly Scenario[] {
  if (only === undefined) return scenarios.filter((scenario) => !scenario.onlyByName);
  return only.map((name) => {
    const scenario = scenarios.find((candidate) => candidate.name === name);
    if (scenario === undefined) {
      throw new BenchError(`no scenario '${name}': ${scenarios.map((one) => one.name).join(', ')}`);
    }
    return scenario;
  });
}

const MOST_SERVERS = 100;

type Say = (text: string) => void;

/** One that fails must not take with it what the others have found. */
async function measure(scenario: Scenario, quick: boolean, say: Say): Promise<ScenarioResult | Results['failed'][0]> {
  const { name, what } = scenario;
  const start = performance.now();
  try {
    const result = await scenario.run({ quick });
    const seconds = (performance.now() - start) / 1e3;
    say(`\n== ${name}: ${what} (${seconds.toFixed(0)} s)\n\n${formatResult(result)}`);
    return scenarioResult(name, what, seconds, result);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(`\n== ${name} failed: ${message}`);
    return { name, message };
  }
}

async function measureAll(scenarios: readonly Scenario[], quick: boolean, say: Say): Promise<Results> {
  const start = performance.now();
  const machine = recordMachine();
  const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  say(`kernel ${machine.kernel}, Node ${machine.node}, ${machine.cores} x ${machine.cpu}`);
  const date = new Date().toISOString();
  const found: Results['scenarios'][0][] = [];
  const failed: Results['failed'][0][] = [];
  for (const scenario of scenarios) {
    const result = await measure(scenario, quick, say);
    if ('message' in result) failed.push(result);
    else found.push(result);
  }
  const seconds = Math.round((performance.now() - start) / 1e3);
  return { version, date, quick, seconds, machine, scenarios: found, failed };
}

/**
 * Measure, and tell.
 *
 * @returns whether everything could be measured
 */
export async function bench(scenarios: readonly Scenario[], options: BenchOptions): Promise<boolean> {
  const { quick, only, json, out, from } = options;
  if (process.platform !== 'linux') throw new BenchError('the benchmarks need Linux: they read /proc');
  const say: Say = json ? () => undefined : console.log;
  // Every server ends with this process, and there are many.
  process.setMaxListeners(MOST_SERVERS);
  // Ended from outside, by way of 'exit': there, servers are stopped and files removed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  const results = from === undefined ? await measureAll(chosen(scenarios, only), quick, say) : readResults(from);
  if (json) console.log(JSON.stringify(results, undefined, 2));
  if (out !== undefined) {
    writeResults(out, results);
    say(`\n${join(out, 'index.html')} shows it; results.md and results.json are beside it`);
  }
  return results.failed.length === 0;
}
