// Meaning of a ratio everywhere: on pages, in tables, in the README, in verdicts. No other module divides the figures
// of two contenders.

import type { Cell } from './scenario.js';
import { median } from './statistics.js';

/** Significant digits of every shown figure: the measurements are no more exact. */
export const SHOWN_DIGITS = 3;

const SHOWN = new Intl.NumberFormat('en', { maximumSignificantDigits: SHOWN_DIGITS, useGrouping: false });

/** A figure as readers see it, by the formatter that shows it. `toPrecision` rounds 1.015 down, as the double is a little less. */
export function asShown(figure: number): number {
  return Number(SHOWN.format(figure));
}

/** Ratio of two contenders' figures. */
export interface Ratio {
  /** Quotient of the two shown medians, so readers can check it. */
  readonly value: number;
  /** Quotients round by round, not shown. They decide whether the rounds agree with the medians. */
  readonly rounds: readonly number[];
}

/** Text in place of a ratio, if the rounds disagree. */
export const TOO_NOISY = 'too noisy';

/**
 * Ratio of two contenders. A slow moment of the machine meets both contenders of a round.
 *
 * @returns no finite number if there is nothing to divide, or to divide by
 */
export function ratioOf(own: readonly number[], base: readonly number[]): Ratio {
  const rounds = own.map((sample, round) => sample / (base[round] ?? Number.NaN));
  return { value: asShown(median(own)) / asShown(median(base)), rounds: rounds.filter(Number.isFinite) };
}

/** Digits: more than a quotient of two shown figures needs, fewer than a product of two doubles has right. */
const SURE_DIGITS = 12;

/** A percentage as shown. 0.285 * 100 is a little less than 28.5, which a reader would round up. */
function percent(ratio: number): number {
  return Math.round(Number((ratio * 100).toPrecision(SURE_DIGITS)));
}

/** Whether the rounds contradict the medians: more instead of less, or less instead of more. */
export function isTooNoisy({ value, rounds }: Ratio): boolean {
  return (percent(value) - 100) * (percent(median(rounds)) - 100) < 0;
}

/** Direction of the better figure. */
export type Better = 'lower' | 'higher';

/** Factor of the loss, in either direction: above 1 is worse. */
export function badness(better: Better, { value, rounds }: Ratio): Ratio {
  return better === 'lower' ? { value, rounds } : { value: 1 / value, rounds: rounds.map((ratio) => 1 / ratio) };
}

const WORTH_TELLING = 1.1;

/** Whether two results differ, of two Nodes for example: by over a tenth, and without overlapping rounds. */
export function differs(one: Ratio, other: Ratio): boolean {
  if (isTooNoisy(one) || isTooNoisy(other)) return false;
  const [lower, higher] = one.value < other.value ? [one, other] : [other, one];
  return higher.value / lower.value > WORTH_TELLING && Math.min(...higher.rounds) > Math.max(...lower.rounds);
}

/** Text of a ratio in a table that has the two figures too. */
export function ratioCell(ratio: Ratio): Cell {
  if (isTooNoisy(ratio)) return TOO_NOISY;
  return Number.isFinite(ratio.value) ? ratio.value : undefined;
}

const GREATEST_PERCENT = 10;

/** `44 %`, or a factor. */
export function shareText(ratio: Ratio): string {
  if (isTooNoisy(ratio)) return TOO_NOISY;
  const { value } = ratio;
  const digits = { maximumSignificantDigits: SHOWN_DIGITS } as const;
  if (value >= GREATEST_PERCENT) return `${new Intl.NumberFormat('en', digits).format(value)} ×`;
  const isTiny = value > 0 && value < 0.01;
  return `${isTiny ? new Intl.NumberFormat('en', digits).format(value * 100) : percent(value)} %`;
}

/** `56 % less`. */
export function changeText(ratio: Ratio): string {
  if (isTooNoisy(ratio)) return TOO_NOISY;
  const less = 100 - percent(ratio.value);
  return less >= 0 ? `${less} % less` : `${-less} % more`;
}
