// Goals beside their figures. A missed goal is for people to judge: the machine has its say in every figure.

import { type Ratio, TOO_NOISY } from './ratio.js';
import type { Cell } from './scenario.js';
import { median } from './statistics.js';

/** Each goal has exactly one of them, so that their numbers add up. */
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

/** Of a figure that is no ratio. */
export function goal(figure: number, atMost: number, unit = ''): string {
  const bound = { atMost };
  return `${boundText(bound, unit)}: ${verdict(figure, bound)}`;
}

/** Of a ratio: where its medians and its rounds do not agree on the goal, it is neither reached nor missed for sure. */
export function goalOfRatio({ value, rounds }: Ratio, bound: Bound): string {
  const byMedians = verdict(value, bound);
  return byMedians === verdict(median(rounds), bound) ? `${boundText(bound, '')}: ${byMedians}` : tooNoisy(bound);
}

export function tooNoisy(bound: Bound): string {
  return `${boundText(bound, '')}: ${TOO_NOISY}`;
}

/** What a table's cell says of a goal; undefined of one that says nothing. */
export function verdictIn(cell: Cell | null): Verdict | undefined {
  if (typeof cell !== 'string' || !/^[<>]= /.test(cell)) return undefined;
  const found = VERDICTS.find((one) => cell.endsWith(`: ${one}`));
  if (found === undefined) throw new Error(`a goal without a verdict: ${cell}`);
  return found;
}

/** The goal that a cell has, without the verdict. */
export function boundIn(cell: Cell): string {
  return String(cell)
    .replace(/: [^:]*$/, '')
    .replace('<=', '≤')
    .replace('>=', '≥');
}
