import type { EnvironmentConfig } from '../../config/config.js';
import { readVariable } from '../../config/env.js';
import { platform } from '../../native/index.js';
import type { Output } from '../output.js';
import type { CheckResult, CheckVerdict, Circumstances } from './check.js';
import { CHECKS } from './checks.js';
import { type Machine, machine } from './machine.js';

/** A check with its result. */
export interface Diagnosis extends CheckResult {
  readonly name: string;
  readonly why: string;
}

const MARK: Readonly<Record<CheckVerdict, readonly [style: 'green' | 'yellow' | 'red' | 'dim', mark: string]>> = {
  ok: ['green', '✓'],
  advice: ['yellow', '!'],
  missing: ['red', '✗'],
  unknown: ['dim', '?'],
};

/** What doctor is to look at besides the configuration. */
export interface Where {
  readonly machine?: Machine;
  readonly variable?: Circumstances['variable'];
  readonly manifest?: string | undefined;
}

/** Run all checks. */
export function diagnose(
  environment: EnvironmentConfig,
  { machine: where = machine(), variable = readVariable, manifest }: Where = {},
): readonly Diagnosis[] {
  const { node } = process.versions;
  const circumstances = { machine: where, environment, platform: platform(), node, variable, manifest };
  return CHECKS.map(({ name, why, look }) => ({ name, why, ...look(circumstances) }));
}

function printDiagnosis(output: Output, { name, why, value, verdict, mend }: Diagnosis): void {
  const [style, mark] = MARK[verdict];
  output.line(`${output.style(style, mark)} ${output.style('bold', name)}: ${value}`);
  if (verdict === 'ok') return;
  output.line(`    ${why}`);
  if (mend !== undefined) output.line(`    ${output.style('cyan', mend)}`);
}

function printSettings(output: Output, diagnoses: readonly Diagnosis[], { isContainer }: Machine): void {
  const settings = diagnoses.flatMap(({ mend }) => /^sysctl -w '?([^']+?)'?$/.exec(mend ?? '')?.[1] ?? []);
  if (settings.length === 0) return;
  output.line();
  output.line(
    'sysctl -w lasts until the next boot. To keep it, put these lines into /etc/sysctl.d/90-socket-tune.conf:',
  );
  for (const setting of settings) output.line(`    ${setting.replace('=', ' = ')}`);
  if (!isContainer) return;
  output.line(
    'In a container they are set from outside: docker run --sysctl NAME=VALUE, or securityContext.sysctls of a pod.',
  );
}

/** What the marks other than ✓ say, in the order of their weight. */
const SAID: ReadonlyArray<readonly [verdict: CheckVerdict, text: string]> = [
  ['missing', 'missing'],
  ['advice', 'could be better'],
  ['unknown', 'unknown on this system'],
];

/** One line that says the same as the marks: how many there are of each, and whose they are. */
function printSummary(output: Output, diagnoses: readonly Diagnosis[]): void {
  const named = SAID.flatMap(([verdict, text]) => {
    const names = diagnoses.filter((diagnosis) => diagnosis.verdict === verdict).map(({ name }) => name);
    const [style, mark] = MARK[verdict];
    if (names.length === 0) return [];
    return [`${output.style(style, `${names.length} ${text} (${mark})`)}: ${names.join(', ')}`];
  });
  const isReady = diagnoses.every(({ verdict }) => verdict !== 'missing');
  const fine = diagnoses.filter(({ verdict }) => verdict === 'ok').length;
  const ready = isReady ? output.style('green', 'Ready') : output.style('red', 'Not ready');
  output.line(`${ready}: ${[`${fine} of ${diagnoses.length} are fine (✓)`, ...named].join('; ')}.`);
}

/**
 * Print whether this machine is ready for the configuration.
 *
 * @returns false if something is missing that an option set by name depends on
 */
export function doctor(
  output: Output,
  environment: EnvironmentConfig,
  { json, root, manifest }: { json: boolean; root?: string; manifest?: string | undefined },
): boolean {
  const where = machine(root);
  const diagnoses = diagnose(environment, { machine: where, manifest });
  const isReady = diagnoses.every(({ verdict }) => verdict !== 'missing');
  if (json) {
    output.json({ ready: isReady, checks: diagnoses });
    return isReady;
  }
  for (const diagnosis of diagnoses) printDiagnosis(output, diagnosis);
  printSettings(output, diagnoses, where);
  output.line();
  printSummary(output, diagnoses);
  return isReady;
}
