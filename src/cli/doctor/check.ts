import type { EnvironmentConfig } from '../../config/config.js';
import type { Platform } from '../../native/platform.js';
import { isOlder, versionOf } from '../../native/version.js';
import type { OptionKey, OptionValues } from '../../options/table.js';
import { OPTION_ROWS } from '../../options/table.js';
import type { Machine } from './machine.js';

/**
 * `ok`; `advice`: another value is better, but no option that the user set by name depends on it; `missing`: such an option
 * depends on it; `unknown`: the machine does not tell.
 */
export type CheckVerdict = 'ok' | 'advice' | 'missing' | 'unknown';

/** What a check found. */
export interface CheckResult {
  readonly value: string;
  readonly verdict: CheckVerdict;
  /** The exact command that fixes it. The field's name is part of `doctor --json`. */
  readonly mend?: string;
}

/** What the checks are given. */
export interface Circumstances {
  readonly machine: Machine;
  readonly environment: EnvironmentConfig;
  readonly platform: Platform;
  readonly node: string;
  /** A variable of the environment that is not ours. */
  variable(name: string): string | undefined;
  /** The manifest of the pod that is to run, if there is one. */
  readonly manifest: string | undefined;
}

/** One fact of the machine that matters to the configuration. */
export interface Check {
  readonly name: string;
  /** Why it matters, for readers who have never heard of it. */
  readonly why: string;
  look(circumstances: Circumstances): CheckResult;
}

const UNKNOWN: CheckResult = { value: 'unknown on this system', verdict: 'unknown' };

/** Every set of options of the configuration: the general one, those of ports, that of outgoing sockets. */
export function scopesOf({ environment: { config } }: Circumstances): readonly OptionValues[] {
  const { ports = {}, connect, guard, connectPorts = {} } = config;
  const outgoing = connect ?? guard;
  const others = outgoing === undefined || outgoing === 'off' ? [] : [outgoing];
  return [config, ...Object.values(ports), ...others, ...Object.values(connectPorts)];
}

/** The greatest value of an option in the configuration; undefined if it has none. */
export function greatest(circumstances: Circumstances, key: OptionKey): number | undefined {
  const values = scopesOf(circumstances)
    .map((scope) => scope[key])
    .filter((value) => typeof value === 'number');
  return values.length === 0 ? undefined : Math.max(...values);
}

/** The verdict where options cannot take effect: worse if the user set one by name. */
export function lack({ environment }: Circumstances, ...keys: OptionKey[]): CheckVerdict {
  return keys.some((key) => environment.asked.has(key)) ? 'missing' : 'advice';
}

/** Checks the numbers of a sysctl. */
export function sysctlResult(
  { machine }: Circumstances,
  name: string,
  judge: (numbers: readonly number[]) => { verdict: CheckVerdict; wanted?: string },
): CheckResult {
  const words = machine.sysctl(name);
  if (words === undefined) return UNKNOWN;
  const { verdict, wanted } = judge(words.map(Number));
  const value = words.join(' ');
  if (verdict === 'ok' || wanted === undefined) return { value, verdict };
  const quoted = wanted.includes(' ') ? `'${name}=${wanted}'` : `${name}=${wanted}`;
  return { value, verdict, mend: `sysctl -w ${quoted}` };
}

/** Checks that a sysctl is not below a value of the configuration. */
export function atLeast(
  circumstances: Circumstances,
  name: string,
  least: number | undefined,
  ...keys: OptionKey[]
): CheckResult {
  return sysctlResult(circumstances, name, ([value = 0]) =>
    least === undefined || value >= least
      ? { verdict: 'ok' }
      : { verdict: lack(circumstances, ...keys), wanted: String(least) },
  );
}

export function unknown(): CheckResult {
  return UNKNOWN;
}

/** Options that the user set by name, for which this kernel is too old. */
export function tooNew({ environment, machine }: Circumstances): { names: string[]; since: string } | undefined {
  const release = versionOf(machine.kernel ?? '');
  const rows = OPTION_ROWS.filter((row) => row.since !== undefined && environment.asked.has(row.key));
  const lacking = rows.filter((row) => isOlder(release, versionOf(row.since ?? '')));
  const since = lacking.map((row) => row.since ?? '').sort((a, b) => (isOlder(versionOf(a), versionOf(b)) ? 1 : -1))[0];
  return since === undefined ? undefined : { names: lacking.map((row) => row.variable), since };
}
