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

/** One run, of one Node, as it is kept in a file. A figure that is no number is null there. */
export interface Results {
  /** Version of socket-tune. */
  readonly version: string;
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: MachineRecord;
  readonly scenarios: readonly ScenarioResult[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  /** Scenarios that a signal has kept from being measured. */
  readonly interrupted?: readonly string[];
}

/** Runs of several Nodes on one machine: the pages are about the first. */
export type Runs = readonly [Results, ...Results[]];

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

function majorOf({ machine }: Results): number {
  return Number(/\d+/.exec(machine.node)?.[0]);
}

/** Each major version of Node has a file of its own, so that a run of one leaves what was measured with another. */
function fileOf(results: Results): string {
  return `node-${majorOf(results)}.json`;
}

const RESULTS_FILE = /^node-\d+\.json$/;

/** The newest Node first. */
export function inOrder(runs: readonly Results[]): Runs {
  const [first, ...others] = [...runs].sort((a, b) => majorOf(b) - majorOf(a));
  if (first === undefined) throw new Error('there are no results of any Node');
  return [first, ...others];
}

/** All runs that a directory has. */
export function readRuns(directory: string): Runs {
  const files = readdirSync(directory).filter((name) => RESULTS_FILE.test(name));
  return inOrder(files.map((name) => readResults(join(directory, name))));
}

/** From what was written, and not from what was measured: what is made of the files later must come out the same. */
export function pagesFrom(written: Runs): Readonly<Record<string, string>> {
  return { 'results.md': markdownPage(written), 'index.html': htmlPage(written) };
}

/** Pages of all runs that the directory has. */
export function writePages(directory: string, runs: Runs = readRuns(directory)): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(pagesFrom(runs))) writeFileSync(join(directory, name), content);
}

export function writeResults(directory: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, fileOf(results)), `${JSON.stringify(results, undefined, 1)}\n`);
  writePages(directory);
}
