import { ERRNO, errnoName } from '../native/errno.js';
import type { Platform, SocketConstant } from '../native/platform.js';
import type { SocketHandle } from '../node-internals.js';
import type { OptionTarget, SocketFamily } from './socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionRow, type OptionValues, optionValue, toInt } from './table.js';

/**
 * What became of an option: `applied` (set, and read back where asked), `inherited` (it came with the listener), `clamped`
 * (the kernel chose another value), `inert` (set, but without effect), `unneeded` (the kernel does better by itself),
 * `unsupported` (this system or socket does not have it), `refused` (the kernel said no).
 */
export type Verdict = 'applied' | 'inherited' | 'clamped' | 'inert' | 'unneeded' | 'unsupported' | 'refused';

export interface OptionOutcome {
  readonly option: OptionKey;
  /** The constant's name in the system's headers. */
  readonly constant: string;
  readonly asked: number;
  readonly verdict: Verdict;
  /** The kernel's value, where it was read back. */
  readonly kernel?: number;
  /** Why it is not as asked. */
  readonly cause?: string;
}

/** The kind of socket that options are planned for. */
export interface SocketKind {
  readonly target: OptionTarget;
  readonly family: SocketFamily;
  /** The server waits for the client's first data, as http, https, tls and http2 do. */
  readonly clientSpeaksFirst: boolean;
  /** Set buffers whatever the kernel's autotuning could do. */
  readonly exactBuffers: boolean;
}

/** An option that is to be set, ready for setsockopt(2). */
export interface Step {
  readonly row: OptionRow;
  readonly constant: SocketConstant;
  readonly asked: number;
  readonly value: Int32Array;
  readonly applied: OptionOutcome;
}

/** What has to be set on sockets of one kind, and what is not set on them and why. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly skipped: readonly OptionOutcome[];
  /** The outcomes when all goes well: made once, so that applying a plan allocates nothing. */
  readonly applied: readonly OptionOutcome[];
}

const NOT_HERE: ReadonlySet<number> = new Set([ERRNO.ENOPROTOOPT, ERRNO.EOPNOTSUPP, ERRNO.ENOTSUP]);

/** Why a row is not set on a socket of this kind; undefined if it is to be set. */
function reasonToSkip(
  platform: Platform,
  row: OptionRow,
  asked: number,
  kind: SocketKind,
): Pick<OptionOutcome, 'verdict' | 'cause'> | undefined {
  if (platform.constants[row.constant] === undefined) {
    return { verdict: 'unsupported', cause: platform.unavailable ?? `${platform.name} has no ${row.constant}` };
  }
  if (!row.families.includes(kind.family)) return { verdict: 'unneeded', cause: `not for ${kind.family} sockets` };
  if (row.clientSpeaksFirst && !kind.clientSpeaksFirst) {
    return { verdict: 'unneeded', cause: 'the server may speak first here, and would be kept from it' };
  }
  if (row.floor === undefined || kind.exactBuffers) return undefined;
  const ceiling = platform.autotuningCeiling(row.floor);
  if (ceiling === undefined || ceiling < asked) return undefined;
  return { verdict: 'unneeded', cause: `the kernel grows it to ${ceiling} by itself` };
}

/** Whether options of this row are set on this target at all, here. */
function belongs(row: OptionRow, constant: SocketConstant | undefined, target: OptionTarget): boolean {
  if (!row.targets.includes(target)) return false;
  return target !== 'listener' || constant?.acceptedOnly !== true;
}

/** Decide, once for all sockets of a kind, what is to be set on them. */
export function planOptions(platform: Platform, values: OptionValues, kind: SocketKind): Plan {
  const steps: Step[] = [];
  const skipped: OptionOutcome[] = [];
  for (const row of OPTION_ROWS) {
    const value = optionValue(values, row);
    const asked = value === undefined ? undefined : toInt(value);
    const constant = platform.constants[row.constant];
    if (asked === undefined || !belongs(row, constant, kind.target)) continue;
    if (row.requires !== undefined && values[row.requires] !== true) continue;
    const about = { option: row.key, constant: row.constant, asked };
    const skip = reasonToSkip(platform, row, asked, kind);
    if (skip !== undefined) skipped.push({ ...about, ...skip });
    else if (constant !== undefined) {
      const applied: OptionOutcome = Object.freeze({ ...about, verdict: 'applied' });
      steps.push({ row, constant, asked, value: Int32Array.of(asked), applied });
    }
  }
  return { steps, skipped, applied: Object.freeze(steps.map((step) => step.applied)) };
}

/** A call that failed, as an outcome. */
function failed(step: Step, errno: number): OptionOutcome {
  const verdict = NOT_HERE.has(errno) ? 'unsupported' : 'refused';
  return { ...step.applied, verdict, cause: errnoName(errno) };
}

/** Set one option. */
export function applyStep(platform: Platform, step: Step, handle: SocketHandle): OptionOutcome {
  const errno = platform.set(handle, step.constant, step.value);
  return errno === 0 ? step.applied : failed(step, errno);
}

/**
 * Set the options of a plan on a socket. Allocates nothing while the kernel takes them all.
 *
 * @returns the outcome of each call, in the plan's order
 */
export function applyPlan(platform: Platform, plan: Plan, handle: SocketHandle): readonly OptionOutcome[] {
  let outcomes: OptionOutcome[] | undefined;
  for (let index = 0; index < plan.steps.length; index++) {
    const step = plan.steps[index];
    if (step === undefined) continue;
    const outcome = applyStep(platform, step, handle);
    if (outcome === step.applied) continue;
    outcomes ??= plan.applied.slice();
    outcomes[index] = outcome;
  }
  return outcomes ?? plan.applied;
}

const kernelValue = new Int32Array(1);

/** The kernel's value of a step's option; undefined where it cannot be read. */
export function readOption(platform: Platform, step: Step, handle: SocketHandle): number | undefined {
  kernelValue[0] = 0;
  return platform.get(handle, step.constant, kernelValue) === 0 ? kernelValue[0] : undefined;
}

/** Whether the kernel's value is what was asked for, by the row's account of how it answers. */
function isAsAsked(step: Step, kernel: number): boolean {
  if (step.row.kind === 'flag') return (kernel !== 0) === (step.asked !== 0);
  if (step.row.readBack === 'doubled') return kernel === step.asked * 2;
  return step.row.readBack === 'rounded' ? kernel >= step.asked : kernel === step.asked;
}

/** Set one option and read it back. */
export function applyAndConfirm(platform: Platform, step: Step, handle: SocketHandle): OptionOutcome {
  return confirm(platform, step, applyStep(platform, step, handle), handle);
}

/** What the kernel says of an option that it took: the outcome of the call, corrected by reading it back. */
export function confirm(platform: Platform, step: Step, outcome: OptionOutcome, handle: SocketHandle): OptionOutcome {
  if (outcome.verdict !== 'applied' || step.row.readBack === 'none') return outcome;
  const kernel = readOption(platform, step, handle);
  if (kernel === undefined) return outcome;
  if (!isAsAsked(step, kernel)) {
    return { ...outcome, kernel, verdict: 'clamped', cause: `the kernel made ${step.asked} into ${kernel}` };
  }
  const cause = platform.inertCause(step.row.constant);
  return cause === undefined ? { ...outcome, kernel } : { ...outcome, kernel, verdict: 'inert', cause };
}
