import type { Platform, SocketConstant } from '../native/platform.js';
import { kindOf } from './kinds.js';
import type { OptionOutcome } from './outcome.js';
import { rawRow } from './raw-option.js';
import type { OptionTarget, SocketFamily, SocketOption } from './socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionValues, optionValue } from './table.js';

/** The kind of socket that options are planned for. */
export interface SocketKind {
  readonly target: OptionTarget;
  readonly family: SocketFamily;
  /** The client sends the first data, as with http, https, tls and http2 servers. */
  readonly clientSpeaksFirst: boolean;
  /** Set buffer sizes even where the kernel's autotuning could exceed them. */
  readonly exactBuffers: boolean;
}

/** One call of setsockopt(2). */
export interface Step {
  readonly row: SocketOption & { readonly key: OptionKey | 'raw' };
  readonly constant: SocketConstant;
  /** The value in the row's unit. */
  readonly asked: number | string;
  /** The value in the kernel's unit. */
  readonly value: Int32Array | Uint8Array;
  /** The value is exact: if the kernel clamps it, the privileged form of the option is tried. */
  readonly forced: boolean;
  readonly applied: OptionOutcome;
}

/** What is set on sockets of one kind. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Options that are not set, each with its reason. */
  readonly skipped: readonly OptionOutcome[];
  /** The outcomes if every call succeeds. Made once, so that applying a plan allocates nothing. */
  readonly applied: readonly OptionOutcome[];
}

export const EMPTY_PLAN: Plan = Object.freeze({ steps: [], skipped: [], applied: [] });

/** Why a row is not set on sockets of this kind. Undefined: it is set. */
function reasonToSkip(
  platform: Platform,
  row: SocketOption,
  asked: number | string,
  kind: SocketKind,
): Pick<OptionOutcome, 'verdict' | 'cause'> | undefined {
  if (platform.constants[row.constant] === undefined) {
    return { verdict: 'unsupported', cause: platform.unavailable ?? `${platform.name} has no ${row.constant}` };
  }
  if (!row.families.includes(kind.family)) return { verdict: 'unneeded', cause: `not for ${kind.family} sockets` };
  if (row.clientSpeaksFirst && !kind.clientSpeaksFirst) {
    return { verdict: 'unneeded', cause: 'the server may speak first here, and would have to wait for the client' };
  }
  if (row.floor === undefined || row.floor === 'current' || kind.exactBuffers) return undefined;
  const ceiling = platform.autotuningCeiling(row.floor);
  if (ceiling === undefined || typeof asked !== 'number' || ceiling < asked) return undefined;
  return { verdict: 'unneeded', cause: `the kernel grows it to ${ceiling} by itself` };
}

/** Whether sockets of this target have the option on this system. */
function belongsTo(row: SocketOption, constant: SocketConstant | undefined, target: OptionTarget): boolean {
  if (!row.targets.includes(target)) return false;
  return target !== 'listener' || constant?.acceptedOnly !== true;
}

/** A value in the kernel's form and unit. */
function kernelForm(constant: SocketConstant, asked: number | string): Int32Array | Uint8Array {
  if (typeof asked === 'string') return Buffer.from(asked, 'latin1');
  const { divisor = 1, greatest = Number.POSITIVE_INFINITY } = constant;
  return Int32Array.of(Math.min(Math.ceil(asked / divisor), greatest));
}

function makeStep(row: Step['row'], constant: SocketConstant, asked: number | string, forced: boolean): Step {
  const applied: OptionOutcome = Object.freeze({
    option: row.key,
    constant: row.constant,
    asked,
    verdict: 'applied',
  });
  return { row, constant, asked, value: kernelForm(constant, asked), forced, applied };
}

function rawSteps(values: OptionValues, { target }: SocketKind): Step[] {
  return (Object.hasOwn(values, 'raw') ? (values.raw ?? []) : []).flatMap((raw) => {
    const row = rawRow(raw);
    return row.targets.includes(target) ? [makeStep(row, { level: raw.level, name: raw.name }, raw.value, false)] : [];
  });
}

function planOf(steps: readonly Step[], skipped: readonly OptionOutcome[]): Plan {
  return { steps, skipped, applied: Object.freeze(steps.map((step) => step.applied)) };
}

function isBeforeBind({ row, constant }: Step): boolean {
  return row.phase === 'before-bind' && !constant.onBound;
}

/** The steps of a plan before bind(2). */
export function stepsBeforeBind({ steps }: Plan): readonly Step[] {
  return steps.filter(isBeforeBind);
}

/** The steps of a listener's plan between bind(2) and listen(2). */
export function stepsBeforeListen({ steps }: Plan): readonly Step[] {
  return steps.filter((step) => !isBeforeBind(step) && !step.constant.afterListen);
}

/** Whether sockets with these values have anything to be set before bind(2), as far as that can be told without the system. */
export function hasStepsBeforeBind(values: OptionValues, target: OptionTarget): boolean {
  const isEarly = (row: SocketOption): boolean => row.phase === 'before-bind' && row.targets.includes(target);
  if (values.raw?.some((raw) => isEarly(rawRow(raw)))) return true;
  return OPTION_ROWS.some((row) => {
    const value = isEarly(row) ? optionValue(values, row) : undefined;
    return value !== undefined && kindOf(row).toKernel(value) !== undefined;
  });
}

/** Plan what is set on sockets of a kind. One plan serves all of them. */
export function planOptions(platform: Platform, values: OptionValues, kind: SocketKind): Plan {
  const steps: Step[] = [];
  const skipped: OptionOutcome[] = [];
  for (const row of OPTION_ROWS) {
    const value = optionValue(values, row);
    const asked = value === undefined ? undefined : kindOf(row).toKernel(value);
    const constant = platform.constants[row.constant];
    if (asked === undefined || !belongsTo(row, constant, kind.target)) continue;
    if (row.requires !== undefined && values[row.requires] !== true) continue;
    const skip = reasonToSkip(platform, row, asked, kind);
    if (skip !== undefined) skipped.push({ option: row.key, constant: row.constant, asked, ...skip });
    else if (constant !== undefined && !row.watched) steps.push(makeStep(row, constant, asked, kind.exactBuffers));
  }
  if (platform.unavailable === undefined) steps.push(...rawSteps(values, kind));
  return planOf(steps, skipped);
}
