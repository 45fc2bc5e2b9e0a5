import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Countdown } from './durations.js';
import { onInterruption } from './interruption.js';
import { ROOT } from './machine.js';
import { recordMachine } from './machine-record.js';
import { type Results, readResults, type ScenarioResult, scenarioResult, writeResults } from './results.js';
import { checkRounds } from './rounds.js';
import type { Scenario } from './scenario.js';
import { formatResult } from './table.js';

export interface BenchOptions {
  readonly quick: boolean;
  /** Names of the scenarios to run; all by default. */
  readonly only?: readonly string[] | undefined;
  readonly json: boolean;
  /** Directory for node-N.json, results.md and index.html. The pages show its results of other Nodes too. */
  readonly out?: string | undefined;
  /** Directory for the results so far, when a signal ends the run. */
  readonly outIfInterrupted?: string | undefined;
  /** Files of earlier runs. The pages are written from them, without a measurement. */
  readonly from?: readonly string[] | undefined;
}

/** Error in the command line, or a command that is not possible here. */
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

/** A run of scenarios, with its results so far at any time. */
class Run {
  readonly #scenarios: readonly Scenario[];
  readonly #quick: boolean;
  readonly #start = performance.now();
  readonly #machine = recordMachine();
  readonly #date = new Date().toISOString();
  readonly #found: ScenarioResult[] = [];
  readonly #failed: Results['failed'][0][] = [];

  constructor(scenarios: readonly Scenario[], quick: boolean) {
    this.#scenarios = scenarios;
    this.#quick = quick;
  }

  results(): Results {
    const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const seconds = Math.round((performance.now() - this.#start) / 1e3);
    const told = new Set([...this.#found, ...this.#failed].map(({ name }) => name));
    const left = this.#scenarios.flatMap(({ name }) => (told.has(name) ? [] : [name]));
    return {
      version,
      date: this.#date,
      quick: this.#quick,
      seconds,
      machine: this.#machine,
      scenarios: this.#found,
      failed: this.#failed,
      ...(left.length === 0 ? {} : { interrupted: left }),
    };
  }

  /** Run one scenario. Its failure leaves the results of the others. */
  async #measure(scenario: Scenario, say: Say): Promise<void> {
    const { name, what } = scenario;
    const start = performance.now();
    try {
      const result = await scenario.run({ quick: this.#quick });
      const seconds = (performance.now() - start) / 1e3;
      checkRounds(result);
      say(`\n== ${name}: ${what} (${seconds.toFixed(0)} s)\n\n${formatResult(result)}`);
      this.#found.push(scenarioResult(name, what, seconds, result));
    } catch (error) {
      // A signal from a terminal ends servers and clients too. This is no failure: the process ends here.
      await nextTurn();
      const message = error instanceof Error ? error.message : String(error);
      console.error(`\n== ${name} failed: ${message}`);
      this.#failed.push({ name, message });
    }
  }

  async measureAll(say: Say, announce: Say): Promise<void> {
    const { kernel, node, cores, cpu } = this.#machine;
    say(`kernel ${kernel}, Node ${node}, ${cores} x ${cpu}`);
    const names = this.#scenarios.map(({ name }) => name);
    const countdown = new Countdown(names, this.#quick);
    for (const scenario of this.#scenarios) {
      announce(`\n${countdown.line(scenario.name)}`);
      const start = performance.now();
      await this.#measure(scenario, say);
      countdown.done(scenario.name, (performance.now() - start) / 1e3);
    }
  }
}

function tell(all: readonly Results[], out: string | undefined, json: boolean, say: Say): void {
  if (json) for (const results of all) console.log(JSON.stringify(results, undefined, 2));
  if (out === undefined) return;
  for (const results of all) writeResults(out, results);
  say(`\n${join(out, 'index.html')} shows it; results.md and the figures of every round, node-*.json, are beside it`);
}

async function measure(scenarios: readonly Scenario[], options: BenchOptions, say: Say): Promise<Results> {
  const { quick, json, out, outIfInterrupted = out } = options;
  // Every server adds an 'exit' listener, and there are many.
  process.setMaxListeners(MOST_SERVERS);
  const run = new Run(scenarios, quick);
  onInterruption((signal) => {
    const results = run.results();
    const { interrupted = [] } = results;
    const kept = outIfInterrupted === undefined && !json ? ' (what was measured is above)' : '';
    console.error(`\n${signal}: interrupted before these were measured: ${interrupted.join(', ')}${kept}`);
    if (results.scenarios.length > 0) tell([results], outIfInterrupted, json, say);
  });
  // With --json, standard output has JSON alone.
  const announce: Say = json ? (text) => process.stderr.isTTY && console.error(text) : say;
  await run.measureAll(say, announce);
  return run.results();
}

/**
 * Measure, and print the results.
 *
 * @returns whether every measurement succeeded
 */
export async function bench(scenarios: readonly Scenario[], options: BenchOptions): Promise<boolean> {
  const { only, json, out, from } = options;
  if (process.platform !== 'linux') throw new BenchError('the benchmarks need Linux: they read /proc');
  const say: Say = json ? () => undefined : console.log;
  const all =
    from === undefined ? [await measure(chosen(scenarios, only), options, say)] : from.map((file) => readResults(file));
  tell(all, out, json, say);
  return all.every(({ failed }) => failed.length === 0);
}
