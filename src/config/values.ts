import type { OptionKind, OptionValue, SocketOption } from '../options/socket-option.js';

/** A text that was understood, or what was expected in its place. */
export type Parsed<T> = { readonly value: T } | { readonly expected: string };

/** `off` in a place where a number is expected: leave the option as the kernel has it. */
export const LEFT_ALONE = 'left-alone';

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['1', true],
  ['true', true],
  ['yes', true],
  ['off', false],
  ['0', false],
  ['false', false],
  ['no', false],
]);

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
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
]);

const MICROSECONDS: ReadonlyMap<string, number> = new Map([
  ['us', 1],
  ['ms', 1e3],
  ['s', 1e6],
  ['min', 60e6],
  ['h', 3600e6],
]);

const TIME_UNIT = { seconds: 's', milliseconds: 'ms', microseconds: 'us' } as const;

type Range = readonly [number, number];

const NUMBER_AND_UNIT = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/;

function quantity(text: string, units: ReadonlyMap<string, number>, bareUnit: string): number | undefined {
  const match = NUMBER_AND_UNIT.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const factor = units.get(match[2] || bareUnit);
  return factor === undefined ? undefined : whole(Number(match[1]) * factor);
}

/** The whole number that is meant where binary fractions miss it by a hair: 8.2 s are 8199999.999999999 µs to them. */
function whole(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < nearest * Number.EPSILON * 2 ? nearest : value;
}

function inRange(value: number | undefined, range: Range): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= range[0] && value <= range[1];
}

/** `on` or `off` (also 1/0, true/false, yes/no). */
export function parseSwitch(text: string): Parsed<boolean> {
  const value = SWITCH_WORDS.get(text.trim().toLowerCase());
  return value === undefined ? { expected: 'on or off' } : { value };
}

/** A size: `65536`, `256k`, `1.5mb`; units are powers of 1024. */
export function parseBytes(text: string, range: Range): Parsed<number> {
  const value = quantity(text, BYTE_UNITS, '');
  if (inRange(value, range)) return { value };
  return { expected: `a size from ${range[0]} to ${range[1]} bytes, such as 65536, 256k or 1.5mb` };
}

function parseCount(text: string, range: Range): Parsed<number> {
  const value = quantity(text, new Map([['', 1]]), '');
  return inRange(value, range) ? { value } : { expected: `a whole number from ${range[0]} to ${range[1]}` };
}

function parseTime(text: string, kind: keyof typeof TIME_UNIT, range: Range): Parsed<number> {
  const unit = TIME_UNIT[kind];
  const microseconds = quantity(text, MICROSECONDS, unit);
  const value = microseconds === undefined ? undefined : microseconds / (MICROSECONDS.get(unit) ?? 1);
  if (inRange(value, range)) return { value };
  return { expected: `a time of whole ${kind} from ${range[0]} to ${range[1]}, such as ${range[0]}${unit} or 30s` };
}

/** One of a few words; case, `-` and `_` do not matter. */
export function parseWord<W extends string>(text: string, words: readonly W[]): Parsed<W> {
  const bare = text.trim().toLowerCase().replace(/[-_]/g, '');
  const value = words.find((word) => word === bare);
  return value === undefined ? { expected: `one of ${words.join(', ')}` } : { value };
}

const REARM_WORDS = ['on', 'once', 'off'] as const;

const SHARE_WORDS = ['on', 'cpu', 'off'] as const;

function isLeftAlone(text: string, kind: OptionKind): boolean {
  const word = text.trim().toLowerCase();
  return word === 'off' || (kind === 'bytes' && word === 'auto');
}

/** Kinds whose values are numbers. */
type NumericKind = Exclude<OptionKind, 'flag' | 'rearm' | 'share' | 'name'>;

function parseNumber(text: string, kind: NumericKind, range: Range): Parsed<number> {
  if (kind === 'bytes') return parseBytes(text, range);
  if (kind === 'count') return parseCount(text, range);
  return parseTime(text, kind, range);
}

/** What the kernel's names are made of; its longest has 15 letters (TCP_CA_NAME_MAX). */
export const NAME = /^[a-z0-9_-]{1,15}$/;

function parseName(text: string): Parsed<string> {
  const value = text.trim().toLowerCase();
  return NAME.test(value) ? { value } : { expected: 'a name of up to 15 letters, digits, - and _, or off' };
}

/**
 * The value that a text means for an option. Where a number or a name is expected, `off` (for sizes also `auto`) means that the
 * option is left alone.
 */
export function parseOptionValue(
  text: string,
  { kind, words }: Pick<SocketOption, 'kind' | 'words'>,
  range: Range,
): Parsed<OptionValue | typeof LEFT_ALONE> {
  if (kind === 'flag') return parseSwitch(text);
  if (kind === 'rearm') return parseWord(text, REARM_WORDS);
  if (kind === 'share') return parseWord(text, SHARE_WORDS);
  if (isLeftAlone(text, kind)) return { value: LEFT_ALONE };
  if (kind === 'name') return parseName(text);
  const word = Object.entries(words ?? {}).find(([name]) => name === text.trim().toLowerCase());
  if (word !== undefined) return { value: word[1] };
  const parsed = parseNumber(text, kind, range);
  if ('value' in parsed) return parsed;
  const named = words === undefined ? '' : `, one of ${Object.keys(words).join(', ')}`;
  return { expected: `${parsed.expected}${named}, or ${kind === 'bytes' ? 'auto' : 'off'}` };
}
