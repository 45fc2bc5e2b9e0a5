// Pages are about one Node. Results of another Node stand beside it where they differ.

import { differs, shareText } from '../ratio.js';
import type { Results, Runs } from '../results.js';
import type { Comparison } from '../scenario.js';
import { type Figure, figures, isOurs } from './figures.js';
import { findComparison } from './headline.js';
import { nameOf } from './names.js';

/** `Node 24`. */
export function nodeName({ machine }: Results): string {
  return `Node ${/\d+/.exec(machine.node)?.[0]}`;
}

/** A comparison as measured with another Node. */
export interface Other {
  readonly node: string;
  readonly comparison: Comparison;
}

/** @param of the compared part of a run; by default all of it */
export function othersOf([, ...others]: Runs, of: (results: Results) => Comparison | undefined): Other[] {
  return others.flatMap((results) => {
    const comparison = of(results);
    return comparison === undefined ? [] : [{ node: nodeName(results), comparison }];
  });
}

/** The same comparison with the other Nodes. */
export function sameOf(runs: Runs, { id }: Comparison): Other[] {
  return othersOf(runs, (results) => findComparison(results, id));
}

/** One differing figure of ours. */
export interface Difference {
  readonly here: Figure;
  readonly there: Figure;
}

export function differencesIn(comparison: Comparison, other: Comparison): Difference[] {
  const theirs = figures(other);
  return figures(comparison).flatMap((here): Difference[] => {
    if (!isOurs(here.contender) || here.toStock === undefined) return [];
    const there = theirs.find(({ contender, xLabel }) => contender === here.contender && xLabel === here.xLabel);
    if (there?.toStock === undefined || !differs(here.toStock, there.toStock)) return [];
    return [{ here, there }];
  });
}

function differenceText({ here, there }: Difference): string {
  const share = ({ toStock }: Figure): string => (toStock === undefined ? '–' : shareText(toStock));
  const where = here.xLabel === '' ? '' : ` at ${here.xLabel}`;
  return `${nameOf(here.contender)}${where} ${share(there)} of Node.js’s instead of ${share(here)}`;
}

/** Differences in one comparison: a sentence for each Node with any. */
export function differencesText(comparison: Comparison, others: readonly Other[]): string[] {
  return others.flatMap(({ node, comparison: other }) => {
    const told = differencesIn(comparison, other).map(differenceText);
    return told.length === 0 ? [] : [`${node}: ${told.join('; ')}`];
  });
}

/** All differences in a run, each with the title of its comparison. */
export function allDifferences(runs: Runs): string[] {
  const comparisons = runs[0].scenarios.flatMap((scenario) => scenario.comparisons);
  return comparisons.flatMap((comparison) =>
    differencesText(comparison, sameOf(runs, comparison)).map((text) => `${comparison.title}, ${text}`),
  );
}

const DEFINITION =
  'It stands beside the first where they differ: where the shares of Node.js’s differ by over a tenth, and no round of one has a share ' +
  'among those of the other.';

/** Other Nodes and the dates of their runs; undefined for one Node. */
export function othersText([main, ...others]: Runs): string | undefined {
  if (others.length === 0) return undefined;
  const told = others.map((results) => {
    const names = results.scenarios.map(({ name }) => name);
    const parts = names.length < main.scenarios.length ? ` (${names.join(', ')})` : '';
    return `${results.machine.node}, ${results.date.slice(0, 10)}${results.quick ? ', a quick run' : ''}${parts}`;
  });
  return `The figures are those of Node ${main.machine.node}; measured as well, in a run of its own: ${told.join('; ')}. ${DEFINITION}`;
}
