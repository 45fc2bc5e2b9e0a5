// Goals beside their figures. People judge a missed goal, as the machine influences every figure.

import { asShown, isTooNoisy, type Ratio, SHOWN_DIGITS, TOO_NOISY } from './ratio.js';
import type { Cell } from './scenario.js';
import { median } from './statistics.js';

/** Verdict of a goal. Each goal has exactly one, so the numbers add up. */
export const VERDICTS = ['reached', 'MISSED', TOO_NOISY] as const;
export type Verdict = (typeof VERDICTS)[number];

export type Bound = { readonly atMost: number } | { readonly atLeast: number };

function boundText(bound: Bound, unit: string): string {
  return 'atMost' in bound ? `<= ${bound.atMost}${unit}` : `>= ${bound.atLeast}${unit}`;
}

function verdict(figure: number, bound: Bound): Verdict {
  const isWithin = 'atMost' in bound ? figure <= bound.atMost : figure >= bound.atLeast;
  return isWithin ? 'reached' : 'MISSED';
}

function limitOf(bound: Bound): number {
  return 'atMost' in bound ? bound.atMost : bound.atLeast;
}

/** Greatest number of digits of a double. */
const MOST_DIGITS = 17;

/** A figure, with more digits where rounding would move it to the goal or across it. */
function digitsBeside(figure: number, bound: Bound): string {
  for (let digits = SHOWN_DIGITS; digits < MOST_DIGITS; digits++) {
    const rounded = Number(figure.toPrecision(digits));
    const isApart = rounded !== limitOf(bound) || figure === limitOf(bound);
    if (isApart && verdict(rounded, bound) === verdict(figure, bound)) return String(rounded);
  }
  return String(figure);
}

/** Text of a cell: the goal, its verdict and the reason. */
function told(bound: Bound, unit: string, what: Verdict, detail = ''): string {
  return `${boundText(bound, unit)}: ${what}${detail === '' ? '' : ` (${detail})`}`;
}

function judged(figure: number, bound: Bound, unit: string): string {
  const shown = digitsBeside(figure, bound);
  return told(bound, unit, verdict(figure, bound), Number(shown) === asShown(figure) ? '' : shown);
}

/** Verdict of a figure that is no ratio. */
export function goal(figure: number, atMost: number, unit = ''): string {
  return judged(figure, { atMost }, unit);
}

/** One side of a disagreement: `reached, 1.049`. */
function side(figure: number, bound: Bound): string {
  return `${verdict(figure, bound).toLowerCase()}, ${digitsBeside(figure, bound)}`;
}

/** Verdict of a ratio. If medians and rounds disagree, the goal is neither reached nor missed for sure. */
export function goalOfRatio(ratio: Ratio, bound: Bound): string {
  const byRounds = median(ratio.rounds);
  if (isTooNoisy(ratio)) {
    const [medians, rounds] = [ratio.value, byRounds].map((one) => `${one > 1 ? 'above' : 'below'} 1, ${asShown(one)}`);
    return tooNoisy(bound, `medians say ${medians}; rounds say ${rounds}`);
  }
  if (verdict(ratio.value, bound) === verdict(byRounds, bound)) return judged(ratio.value, bound, '');
  return tooNoisy(bound, `medians say ${side(ratio.value, bound)}; rounds say ${side(byRounds, bound)}`);
}

/** Missed by the medians, but not by enough rounds. */
export function missedByMedians({ value }: Ratio, bound: Bound, rounds: string): string {
  return tooNoisy(bound, `medians say ${side(value, bound)}; ${rounds}`);
}

function tooNoisy(bound: Bound, why: string): string {
  return told(bound, '', TOO_NOISY, why);
}

const GOAL = /^(?<bound>[<>]= .*?): (?<verdict>[^(]*?)(?: \((?<detail>.*)\))?$/;

function partsOf(cell: Cell | null): Readonly<Record<string, string | undefined>> | undefined {
  return typeof cell === 'string' ? GOAL.exec(cell)?.groups : undefined;
}

/** Verdict in a table's cell; undefined without a goal. */
export function verdictIn(cell: Cell | null): Verdict | undefined {
  const parts = partsOf(cell);
  if (parts === undefined) return undefined;
  const found = VERDICTS.find((one) => one === parts.verdict);
  if (found === undefined) throw new Error(`a goal without a verdict: ${cell}`);
  return found;
}

/** Goal of a cell, without its verdict. */
export function boundIn(cell: Cell): string {
  return (partsOf(cell)?.bound ?? '').replace('<=', '≤').replace('>=', '≥');
}

/** Reason of a verdict, where the figure beside it does not show it. */
export function detailIn(cell: Cell): string | undefined {
  return partsOf(cell)?.detail;
}
