/** Numbers with a unit, as people write them: `256k`, `1.5mb`, `30s`. */

/** Least and greatest number, both included. */
export type Range = readonly [least: number, greatest: number];

/** Units that a number may have. */
export interface Scale {
  /** Name of a unit → its size in the smallest one. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The unit of the result, and of a number without a unit. */
  readonly unit: string;
}

export const COUNT: Scale = { sizes: new Map([['', 1]]), unit: '' };

export const BYTES: Scale = {
  sizes: new Map([
    ['', 1],
    ['b', 1],
    ['k', 2 ** 10],
    ['kb', 2 ** 10],
    ['kib', 2 ** 10],
    ['m', 2 ** 20],
    ['mb', 2 ** 20],
    ['mib', 2 ** 20],
    ['g', 2 ** 30],
    ['gb', 2 ** 30],
    ['gib', 2 ** 30],
  ]),
  unit: '',
};

const TIMES: Scale['sizes'] = new Map([
  ['us', 1],
  ['ms', 1e3],
  ['s', 1e6],
  ['min', 60e6],
  ['h', 3600e6],
]);

export const SECONDS: Scale = { sizes: TIMES, unit: 's' };
export const MILLISECONDS: Scale = { sizes: TIMES, unit: 'ms' };
export const MICROSECONDS: Scale = { sizes: TIMES, unit: 'us' };

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

/** The number that a text means, in the unit of the scale. Undefined: no number, or a unit that the scale does not have. */
export function parseQuantity(text: string, { sizes, unit }: Scale): number | undefined {
  const match = NUMBER_AND_UNIT.exec(text.trim().toLowerCase());
  const size = match === null ? undefined : sizes.get(match[2] || unit);
  if (match === null || size === undefined) return undefined;
  return wholeIfClose(Number(match[1]) * size) / (sizes.get(unit) ?? 1);
}

/** Whether a text ends with a unit, or is nothing but zeros, which need none. */
export function hasUnit(text: string): boolean {
  return /[a-z]$|^0+$/.test(text.trim().toLowerCase());
}

/** Undoes the error of binary fractions: 8.2 s are 8199999.999999999 µs to them. */
function wholeIfClose(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < nearest * Number.EPSILON * 2 ? nearest : value;
}

/** Whether a value is a whole number of a range. */
export function isWithin(value: unknown, [least, greatest]: Range): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= greatest;
}
