import type { Kind } from '../options/kinds.js';
import { RAW_PHASES, type RawOption } from '../options/raw-option.js';

const PHASES = RAW_PHASES.join(', ');

const EXPECTED_TEXT = `level:name:int[@phase], comma separated, such as 6:25:16384@before-listen; a phase is one of ${PHASES}`;

const NUMBER = '-?\\d+|0x[0-9a-f]+';

const RAW_FORM = new RegExp(`^(${NUMBER}):(${NUMBER}):(${NUMBER})(?:@([a-z-]+))?$`);

/** An int of C, or the unsigned number with the same bits. */
function isInt(value: number): boolean {
  return value >= -(2 ** 31) && value < 2 ** 32;
}

function parseRawOption(text: string): RawOption | undefined {
  const match = RAW_FORM.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [level, name, value] = match.slice(1, 4).map(Number);
  const phase = RAW_PHASES.find((candidate) => candidate === (match[4] ?? 'before-listen'));
  if (level === undefined || name === undefined || value === undefined || phase === undefined) return undefined;
  return [level, name, value].every(isInt) ? { level, name, value: value | 0, phase } : undefined;
}

function isRawOption(option: unknown): boolean {
  if (typeof option !== 'object' || option === null || Array.isArray(option)) return false;
  const { level, name, value, phase } = { level: 0, name: 0, value: 0, phase: undefined, ...option };
  return [level, name, value].every(Number.isInteger) && RAW_PHASES.some((known) => known === phase);
}

/** Options by their numbers. In a text: `level:name:int[@phase]`, comma separated. */
export const RAW: Kind<readonly RawOption[]> = {
  parse(text) {
    const options = text.split(',').map(parseRawOption);
    const known = options.filter((option) => option !== undefined);
    return known.length === options.length ? { value: known } : { expected: EXPECTED_TEXT };
  },
  describeValues: () => `options by their numbers, each with a phase: ${PHASES}`,
  display: (options) => options.map(({ level, name, value, phase }) => `${level}:${name}:${value}@${phase}`).join(','),
  accepts: (value) => Array.isArray(value) && value.every(isRawOption),
  expected: () => `an array of { level, name, value, phase }, with whole numbers and a phase of ${PHASES}`,
};
