import { RAW_PHASES, type RawOption } from '../options/raw-option.js';
import type { Parsed } from './values.js';

const EXPECTED = `level:name:int[@phase], comma separated, such as 6:25:16384@before-listen; a phase is one of ${RAW_PHASES.join(', ')}`;

const NUMBER = '-?\\d+|0x[0-9a-f]+';

const FORM = new RegExp(`^(${NUMBER}):(${NUMBER}):(${NUMBER})(?:@([a-z-]+))?$`);

/** The numbers that an int of C can have, and the unsigned ones that are written for the same bits. */
function isInt(value: number): boolean {
  return value >= -(2 ** 31) && value < 2 ** 32;
}

function parseOne(text: string): RawOption | undefined {
  const match = FORM.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [level, name, value] = match.slice(1, 4).map(Number);
  const phase = RAW_PHASES.find((candidate) => candidate === (match[4] ?? 'before-listen'));
  if (level === undefined || name === undefined || value === undefined || phase === undefined) return undefined;
  return [level, name, value].every(isInt) ? { level, name, value: value | 0, phase } : undefined;
}

/** Options by their numbers: `level:name:int[@phase]`, comma separated. */
export function parseRaw(text: string): Parsed<readonly RawOption[]> {
  const options = text.split(',').map(parseOne);
  const known = options.filter((option) => option !== undefined);
  return known.length === options.length ? { value: known } : { expected: EXPECTED };
}
