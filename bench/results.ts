import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** One run of one Node, as in its file. NaN is null there. */
export interface Results {
  /** Version of socket-tune. */
  readonly version: string;
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: MachineRecord;
  readonly scenarios: readonly ScenarioResult[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  /** Scenarios that were not measured because of a signal. */
  readonly interrupted?: readonly string[];
}

/** Runs of several Nodes on one machine. The pages are about the first. */
export type Runs = readonly [Results, ...Results[]];

/** Digits of a stored figure: more than any clock here has. */
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

function majorOf({ machine }: Results): number {
  return Number(/\d+/.exec(machine.node)?.[0]);
}

/** File of a run. Each major version of Node has its own, so a run leaves the results of others. */
function fileOf(results: Results): string {
  return `node-${majorOf(results)}.json`;
}

const RESULTS_FILE = /^node-\d+\.json$/;

/** Runs with the newest Node first. */
export function inOrder(runs: readonly Results[]): Runs {
  const [first, ...others] = [...runs].sort((a, b) => majorOf(b) - majorOf(a));
  if (first === undefined) throw new Error('there are no results of any Node');
  return [first, ...others];
}

/** All runs in a directory. */
export function readRuns(directory: string): Runs {
  const files = readdirSync(directory).filter((name) => RESULTS_FILE.test(name));
  return inOrder(files.map((name) => readResults(join(directory, name))));
}

/** Runs from the files, not from memory: later pages from the files must be equal. */
export function pagesFrom(written: Runs): Readonly<Record<string, string>> {
  return { 'results.md': markdownPage(written), 'index.html': htmlPage(written) };
}

/** Write the pages of all runs in a directory. */
export function writePages(directory: string, runs: Runs = readRuns(directory)): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(pagesFrom(runs))) writeFileSync(join(directory, name), content);
}

export function writeResults(directory: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, fileOf(results)), `${JSON.stringify(results, undefined, 1)}\n`);
  writePages(directory);
}
