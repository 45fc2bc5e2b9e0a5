// What a ratio means, wherever one is told: on pages, in tables, in the README, in verdicts. No other module divides the figures
// of two contenders.

import type { Cell } from './scenario.js';
import { median } from './statistics.js';

/** Three significant digits say all that a measurement of this kind knows: no figure is shown with more. */
export const SHOWN_DIGITS = 3;

const SHOWN = new Intl.NumberFormat('en', { maximumSignificantDigits: SHOWN_DIGITS, useGrouping: false });

/** A figure as readers see it. By the formatter that shows it: `toPrecision` rounds 1.015 down, as the double is a little less. */
export function asShown(figure: number): number {
  return Number(SHOWN.format(figure));
}

/** What one contender's figure is to another's. */
export interface Ratio {
  /** The quotient of the two medians as they are shown beside it: whoever divides them finds it. */
  readonly value: number;
  /** The quotients round by round are not told; they decide whether the rounds agree with the medians. */
  readonly rounds: readonly number[];
}

/** What stands in the place of a ratio that the rounds do not agree on. */
export const TOO_NOISY = 'too noisy';

/**
 * What slows the machine down for a while slows both contenders of a round down.
 *
 * @returns a value that is no number where there is nothing to divide, or to divide by
 */
export function ratioOf(own: readonly number[], base: readonly number[]): Ratio {
  const rounds = own.map((sample, round) => sample / (base[round] ?? Number.NaN));
  return { value: asShown(median(own)) / asShown(median(base)), rounds: rounds.filter(Number.isFinite) };
}

/** More digits than a quotient of two shown figures needs, and fewer than a product of two doubles has right. */
const SURE_DIGITS = 12;

/** As percentages are told. 0.285 * 100 is a little less than 28.5, which a reader would round up. */
function percent(ratio: number): number {
  return Math.round(Number((ratio * 100).toPrecision(SURE_DIGITS)));
}

/** The rounds say the opposite of the medians: more instead of less, or less instead of more. */
export function isTooNoisy({ value, rounds }: Ratio): boolean {
  return (percent(value) - 100) * (percent(median(rounds)) - 100) < 0;
}

/** Which figure is the better one. */
export type Better = 'lower' | 'higher';

/** How many times as bad as the other one, whichever figure is better: above 1 is worse. */
export function badness(better: Better, { value, rounds }: Ratio): Ratio {
  return better === 'lower' ? { value, rounds } : { value: 1 / value, rounds: rounds.map((ratio) => 1 / ratio) };
}

const WORTH_TELLING = 1.1;

/** Of two Nodes, say: they differ by over a tenth, and no round of one is among those of the other. */
export function differs(one: Ratio, other: Ratio): boolean {
  if (isTooNoisy(one) || isTooNoisy(other)) return false;
  const [lower, higher] = one.value < other.value ? [one, other] : [other, one];
  return higher.value / lower.value > WORTH_TELLING && Math.min(...higher.rounds) > Math.max(...lower.rounds);
}

/** In a table that has the two figures as well. */
export function ratioCell(ratio: Ratio): Cell {
  if (isTooNoisy(ratio)) return TOO_NOISY;
  return Number.isFinite(ratio.value) ? ratio.value : undefined;
}

const GREATEST_PERCENT = 10;

/** `44 %`, or how many times as much. */
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
