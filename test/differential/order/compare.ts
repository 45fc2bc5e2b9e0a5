import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { content } from '../../support/files/content.js';
import { BY_IMPORT, runNode } from '../../support/processes/node-process.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import type { Outcome } from './outcome.js';
import { DIMENSIONS, type Scenario, titleOf } from './scenario.js';

const program = join(import.meta.dirname, 'program.js');

/** How often stock Node plays a scenario before an outcome that it has not had is taken for a fault. */
const STOCK_RUNS = 20;

let runs = 0;

function samples(): string {
  const directory = join(scratchProject(), 'order');
  mkdirSync(directory, { recursive: true });
  for (const size of DIMENSIONS.size) writeFileSync(join(directory, String(size)), content(size, size));
  return directory;
}

interface Run {
  readonly outcomes: readonly Outcome[];
  readonly report: Report | undefined;
}

async function playAll(scenarios: readonly Scenario[], preload: readonly string[]): Promise<Run> {
  const directory = samples();
  const list = join(scratchProject(), `scenarios-${runs}.json`);
  const output = join(scratchProject(), `outcomes-${runs++}.json`);
  writeFileSync(list, JSON.stringify(scenarios));
  const ended = await runNode([...preload, program, directory, list, output], { timeout: 900_000 });
  if (ended.code !== 0 || ended.stderr !== '')
    throw new Error(`the scenarios were not played: ${JSON.stringify(ended)}`);
  return { outcomes: JSON.parse(readFileSync(output, 'utf8')) as Outcome[], report: ended.report };
}

/** The same for the same outcome, whatever came first. */
function textOf(outcome: Outcome): string {
  return JSON.stringify(Object.fromEntries(Object.entries(outcome).sort()));
}

/** An outcome that stock Node does not have. */
export interface Fault {
  readonly scenario: Scenario;
  readonly message: string;
}

export interface Comparison {
  readonly faults: readonly Fault[];
  /** In how many scenarios stock Node had more than one outcome. */
  readonly varying: number;
  readonly report: Report | undefined;
}

function describeFault(scenario: Scenario, outcome: string, stock: ReadonlySet<string>): Fault {
  const lines = [...stock].map((one) => `  stock ${one}`);
  return { scenario, message: `${titleOf(scenario)}\n  tuned ${outcome}\n${lines.join('\n')}` };
}

/**
 * Play scenarios stock and tuned. A tuned outcome is right if stock Node has it: where the two differ, stock Node plays the
 * scenario again, some times, as what it leaves to chance is not the same on every run.
 */
export async function compare(scenarios: readonly Scenario[]): Promise<Comparison> {
  const stock = await playAll(scenarios, []);
  const tuned = await playAll(scenarios, BY_IMPORT);
  const different = scenarios.flatMap((scenario, index) => {
    const [one, other] = [stock, tuned].map(({ outcomes }) => outcomes.slice(index, index + 1).map(textOf)[0]);
    return one === undefined || other === undefined || one === other ? [] : [{ scenario, one, other }];
  });
  if (different.length === 0) return { faults: [], varying: 0, report: tuned.report };
  const again = await playAll(
    different.flatMap(({ scenario }) => Array.from({ length: STOCK_RUNS }, () => scenario)),
    [],
  );
  const sets = different.map(({ one }, index) => {
    const from = index * STOCK_RUNS;
    return new Set([one, ...again.outcomes.slice(from, from + STOCK_RUNS).map(textOf)]);
  });
  const faults = different.flatMap(({ scenario, other }, index) => {
    const set = sets[index];
    return set === undefined || set.has(other) ? [] : [describeFault(scenario, other, set)];
  });
  return { faults, varying: sets.filter(({ size }) => size > 1).length, report: tuned.report };
}

/** Of how many scenarios the file must have been rerouted: the app's change of mind leaves it as it is. */
export function reroutable(scenarios: readonly Scenario[]): number {
  const kept: readonly Scenario['act'][] = ['header', 'write ahead', 'pause', 'cork'];
  return scenarios.filter(({ source, act }) => source !== 'FileHandle' && kept.includes(act)).length;
}
