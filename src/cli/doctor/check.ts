import type { EnvironmentConfig } from '../../config/config.js';
import type { Platform } from '../../native/platform.js';
import { isOlder, versionOf } from '../../native/version.js';
import type { OptionKey, OptionValues } from '../../options/table.js';
import { OPTION_ROWS } from '../../options/table.js';
import type { Machine } from './machine.js';

/**
 * `ok`; `advice`: better otherwise, and nothing that was asked for by name depends on it; `missing`: something that was asked for
 * by name does; `unknown`: the machine does not say.
 */
export type CheckVerdict = 'ok' | 'advice' | 'missing' | 'unknown';

/** What was found out. */
export interface CheckResult {
  readonly value: string;
  readonly verdict: CheckVerdict;
  /** The exact command that mends it. */
  readonly mend?: string;
}

/** What the checks go by. */
export interface Circumstances {
  readonly machine: Machine;
  readonly environment: EnvironmentConfig;
  readonly platform: Platform;
  readonly node: string;
}

/** One thing to look at. */
export interface Check {
  readonly name: string;
  /** Why it matters, for people who have never heard of it. */
  readonly why: string;
  look(circumstances: Circumstances): CheckResult;
}

const UNKNOWN: CheckResult = { value: 'not told by this system', verdict: 'unknown' };

/** Every set of options that the configuration has: in general, for ports, for outgoing sockets. */
export function scopesOf({ environment: { config } }: Circumstances): readonly OptionValues[] {
  return [config, ...Object.values(config.ports ?? {}), ...(config.connect === undefined ? [] : [config.connect])];
}

/** The greatest value that the configuration has for an option; undefined if it has none. */
export function greatest(circumstances: Circumstances, key: OptionKey): number | undefined {
  const values = scopesOf(circumstances)
    .map((scope) => scope[key])
    .filter((value) => typeof value === 'number');
  return values.length === 0 ? undefined : Math.max(...values);
}

/** What it means that an option cannot have its way: more if the user asked for it by name. */
export function lack({ environment }: Circumstances, ...keys: OptionKey[]): CheckVerdict {
  return keys.some((key) => environment.asked.has(key)) ? 'missing' : 'advice';
}

/** A finding about a sysctl's numbers. */
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

/** A finding about a sysctl that must be at least as great as something that the configuration has. */
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

/** Options that the user asked for by name and that this kernel is too old for. */
export function tooNew({ environment, machine }: Circumstances): { names: string[]; since: string } | undefined {
  const release = versionOf(machine.kernel ?? '');
  const rows = OPTION_ROWS.filter((row) => row.since !== undefined && environment.asked.has(row.key));
  const lacking = rows.filter((row) => isOlder(release, versionOf(row.since ?? '')));
  const since = lacking.map((row) => row.since ?? '').sort((a, b) => (isOlder(versionOf(a), versionOf(b)) ? 1 : -1))[0];
  return since === undefined ? undefined : { names: lacking.map((row) => row.variable), since };
}
