import { ERRNO, errnoName } from '../native/errno.js';
import type { OptionChoices, Platform } from '../native/platform.js';
import type { SocketHandle } from '../node/net.js';
import { kindOf } from './kinds.js';
import type { OptionOutcome } from './outcome.js';
import type { Plan, Step } from './plan.js';

const UNKNOWN_OPTION: ReadonlySet<number> = new Set([
  ERRNO.ENOPROTOOPT,
  ERRNO.EOPNOTSUPP,
  ERRNO.ENOTSUP,
  ERRNO.EPROTONOSUPPORT,
]);

/** An error, with what it means for this option. */
function errorCause({ row }: Step, errno: number): string {
  // By number, as one number may have two names.
  const known = Object.entries(row.errors ?? {}).find(([error]) => Reflect.get(ERRNO, error) === errno);
  return known?.join(', ') ?? errnoName(errno);
}

/** The outcome of a call that failed. */
function failedOutcome(platform: Platform, step: Step, errno: number): OptionOutcome {
  if (UNKNOWN_OPTION.has(errno)) {
    if (step.row.ipv6Only) return { ...step.applied, verdict: 'unneeded', cause: 'not an IPv6 socket' };
    return { ...step.applied, verdict: 'unsupported', cause: errorCause(step, errno) };
  }
  const choices = platform.choicesOf(step.row.constant);
  const error = errorCause(step, errno);
  const cause = choices === undefined ? error : `${error}; ${describeChoices(choices)}`;
  return { ...step.applied, verdict: 'refused', cause };
}

/** The names that an option takes on this system, in words. */
export function describeChoices({ available, allowed }: OptionChoices): string {
  const here = `available are ${available.join(', ')}`;
  const isForAll = allowed === undefined || available.every((choice) => allowed.includes(choice));
  return isForAll ? here : `${here}; without CAP_NET_ADMIN only ${allowed.join(', ')}`;
}

/** Set one option. */
export function applyStep(platform: Platform, step: Step, handle: SocketHandle): OptionOutcome {
  const errno = platform.set(handle, step.constant, step.value);
  return errno === 0 ? step.applied : failedOutcome(platform, step, errno);
}

/**
 * Set the options of a plan on a socket. Allocates nothing while every call succeeds.
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

const number = new Int32Array(1);

/** The longest name of the kernel has 15 letters and an end mark (TCP_CA_NAME_MAX). */
const name = Buffer.alloc(16);

/** The value of an option, in the kernel's unit. Undefined: it cannot be read. */
export function readOption(platform: Platform, step: Step, handle: SocketHandle): number | string | undefined {
  const value = typeof step.asked === 'string' ? name : number;
  value.fill(0);
  if (platform.get(handle, step.constant, value) !== 0) return undefined;
  if (value === number) return number[0];
  const end = name.indexOf(0);
  return name.toString('latin1', 0, end < 0 ? name.length : end);
}

/** Whether the kernel's value is the one that was asked for. The row says what the kernel makes of it. */
function answersAsAsked({ row, asked, value }: Step, kernel: number | string): boolean {
  if (typeof kernel === 'string') return kernel === asked;
  const wanted = value[0] ?? 0;
  if (row.readBack === 'doubled') return kernel === wanted * 2;
  return row.readBack === 'rounded' ? kernel >= wanted : kindOf(row).isSame(kernel, wanted);
}

function changedInto({ asked }: Step, kernel: number | string): string {
  return `the kernel made ${asked} into ${kernel}`;
}

/** Why the kernel's value is another one than was asked for. */
function noteOf(step: Step, kernel: number | string): string | undefined {
  const { row, asked, value } = step;
  if (!answersAsAsked(step, kernel)) return changedInto(step, kernel);
  if (kernel === asked || row.kind === 'flag') return undefined;
  if (row.readBack === 'doubled') return 'the kernel doubles it, for its own bookkeeping';
  return kernel === value[0] ? `the kernel counts it as ${kernel}` : `the kernel rounds it up to ${kernel}`;
}

/** An outcome with the value that was read back. */
export function answered(step: Step, outcome: OptionOutcome, kernel: number | string): OptionOutcome {
  const note = noteOf(step, kernel);
  return note === undefined ? { ...outcome, kernel } : { ...outcome, kernel, note };
}

/** The outcome where the value is a least one and the socket has as much. Undefined: the option is to be set. */
export function alreadyEnough(step: Step, kernel: OptionOutcome['kernel']): OptionOutcome | undefined {
  const least = (step.value[0] ?? 0) * (step.row.readBack === 'doubled' ? 2 : 1);
  if (step.row.floor !== 'current' || typeof kernel !== 'number' || kernel < least) return undefined;
  return { ...step.applied, kernel, verdict: 'unneeded', cause: 'the socket has as much already' };
}

function readAlready(platform: Platform, step: Step, handle: SocketHandle): OptionOutcome | undefined {
  return step.row.floor === 'current' ? alreadyEnough(step, readOption(platform, step, handle)) : undefined;
}

/** Set one option and read it back. Not set: a least value that the socket has already. */
export function applyAndConfirm(platform: Platform, step: Step, handle: SocketHandle): OptionOutcome {
  const already = readAlready(platform, step, handle);
  if (already !== undefined) return already;
  const outcome = confirm(platform, step, applyStep(platform, step, handle), handle);
  const { privileged } = step.constant;
  if (outcome.verdict !== 'clamped' || !step.forced || privileged === undefined) return outcome;
  // Fails without CAP_NET_ADMIN. Then the result of the first call stands.
  return platform.set(handle, privileged, step.value) === 0 ? confirm(platform, step, step.applied, handle) : outcome;
}

/** The outcome of a call, corrected by reading the option back. */
export function confirm(platform: Platform, step: Step, outcome: OptionOutcome, handle: SocketHandle): OptionOutcome {
  if (outcome.verdict !== 'applied' || step.row.readBack === 'none') return outcome;
  const kernel = readOption(platform, step, handle);
  if (kernel === undefined) return outcome;
  if (!answersAsAsked(step, kernel)) {
    const limit = platform.limitOf(step.row.constant);
    const cause = `${changedInto(step, kernel)}${limit === undefined ? '' : `; ${limit}`}`;
    return { ...outcome, kernel, verdict: 'clamped', cause };
  }
  const cause = platform.inertCause(step.row.constant);
  const found = answered(step, outcome, kernel);
  return cause === undefined ? found : { ...found, verdict: 'inert', cause };
}
