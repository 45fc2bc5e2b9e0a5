import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { content } from '../../support/files/content.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { textOf } from '../harness/compare.js';
import { mainRecording, run, STOCK, tuned, type Way } from '../harness/run.js';
import { DIMENSIONS, titleOf, type Values } from './values.js';

const MODULE = join(import.meta.dirname, 'scenarios.js');

/** How often stock Node runs a scenario before an outcome that it has not had is taken for a fault. */
const STOCK_RUNS = 20;

/** So many scenarios run at the same time. */
const LANES = 6;

/** Makes a file of each size in the scratch project. */
function makeFiles(): void {
  const directory = join(scratchProject(), 'order');
  mkdirSync(directory, { recursive: true });
  for (const size of DIMENSIONS.size) writeFileSync(join(directory, String(size)), content(size, size));
}

interface Outcomes {
  /** As text, which is the same for the same outcome. */
  readonly outcomes: readonly string[];
  readonly report: Report | undefined;
}

async function runAll(scenarios: readonly Values[], way: Way): Promise<Outcomes> {
  makeFiles();
  const all = await run(MODULE, scenarios.map(titleOf), way, { lanes: LANES, timeout: 900_000 });
  const { code, stderr, report } = all.process;
  if (code !== 0 || stderr !== '') throw new Error(`the scenarios were not run: ${JSON.stringify(all.process)}`);
  return { outcomes: scenarios.map((_, index) => textOf(mainRecording(all, index))), report };
}

/** An outcome that stock Node does not have. */
export interface Fault {
  readonly scenario: Values;
  readonly message: string;
}

export interface Comparison {
  readonly faults: readonly Fault[];
  /** In how many scenarios stock Node had more than one outcome. */
  readonly varying: number;
  readonly report: Report | undefined;
}

function describeFault(scenario: Values, outcome: string, stock: ReadonlySet<string>): Fault {
  const lines = [...stock].map((one) => `  stock ${one}`);
  return { scenario, message: `${titleOf(scenario)}\n  tuned ${outcome}\n${lines.join('\n')}` };
}

/**
 * Runs scenarios stock and tuned. A tuned outcome is right if stock Node has it too. Where the two differ, stock Node runs the
 * scenario some times more: what it leaves to chance is not the same in every run.
 */
export async function compare(scenarios: readonly Values[]): Promise<Comparison> {
  const [stock, { outcomes, report }] = [await runAll(scenarios, STOCK), await runAll(scenarios, tuned())];
  const different = scenarios.flatMap((scenario, index) => {
    const [one, other] = [stock.outcomes[index], outcomes[index]];
    return one === undefined || other === undefined || one === other ? [] : [{ scenario, one, other }];
  });
  if (different.length === 0) return { faults: [], varying: 0, report };
  const again = await runAll(
    different.flatMap(({ scenario }) => Array.from({ length: STOCK_RUNS }, () => scenario)),
    STOCK,
  );
  const sets = different.map(({ one }, index) => {
    const from = index * STOCK_RUNS;
    return new Set([one, ...again.outcomes.slice(from, from + STOCK_RUNS)]);
  });
  const faults = different.flatMap(({ scenario, other }, index) => {
    const set = sets[index];
    return set === undefined || set.has(other) ? [] : [describeFault(scenario, other, set)];
  });
  return { faults, varying: sets.filter(({ size }) => size > 1).length, report };
}

/** Of how many scenarios the file must have been rerouted: the app's change of mind leaves it as it is. */
export function reroutable(scenarios: readonly Values[]): number {
  const kept: readonly Values['act'][] = ['header', 'write ahead', 'pause', 'cork'];
  return scenarios.filter(({ source, act }) => source !== 'FileHandle' && kept.includes(act)).length;
}
