import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineRecord } from './machine-record.js';
import { markdownPage } from './page/markdown.js';
import { htmlPage } from './page/page.js';
import type { Comparison, Result } from './scenario.js';

export interface ScenarioResult extends Required<Result> {
  readonly name: string;
  readonly what: string;
  readonly seconds: number;
}

/** One run, as it is kept in results.json. A figure that is no number is null there. */
export interface Results {
  /** Version of socket-tune. */
  readonly version: string;
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: MachineRecord;
  readonly scenarios: readonly ScenarioResult[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
}

/** More digits than any clock here has. */
const DIGITS = 6;

function shorten(comparison: Comparison): Comparison {
  const series = comparison.series.map(({ contender, points }) => ({
    contender,
    points: points.map(({ x, samples }) => ({ x, samples: samples.map((value) => Number(value.toPrecision(DIGITS))) })),
  }));
  return { ...comparison, series };
}

export function scenarioResult(name: string, what: string, seconds: number, result: Result): ScenarioResult {
  const { tables, comparisons = [], notes } = result;
  return { name, what, seconds: Math.round(seconds), tables, comparisons: comparisons.map(shorten), notes };
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8'));
}

export const RESULTS_FILE = 'results.json';

/** From what was written, and not from what was measured: what is made of the file later must come out the same. */
export function pagesFrom(written: Results): Readonly<Record<string, string>> {
  return { 'results.md': markdownPage(written), 'index.html': htmlPage(written) };
}

export function writeResults(directory: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, RESULTS_FILE);
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
  for (const [name, content] of Object.entries(pagesFrom(readResults(file)))) {
    writeFileSync(join(directory, name), content);
  }
}
