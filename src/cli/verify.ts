import type { EnvironmentConfig } from '../config/config.js';
import { platform } from '../native/index.js';
import { answered, applyAndConfirm, readOption } from '../options/apply.js';
import type { OptionOutcome, Verdict } from '../options/outcome.js';
import { type Plan, planOptions, type SocketKind, type Step } from '../options/plan.js';
import type { OptionTarget } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionRow, type OptionValues, optionValue } from '../options/table.js';
import { type SocketScope, socketScopes } from './explain/socket-scopes.js';
import type { Output } from './output.js';
import { type ProbeSocket, probeConnection, probeSocket, whyNoIPv6 } from './probe-sockets.js';

const TARGETS: readonly OptionTarget[] = ['listener', 'accepted', 'outgoing', 'datagram'];

/** The outcome of one option on one kind of socket. */
export interface Verification {
  readonly variable: string;
  readonly constant: string;
  readonly target: OptionTarget;
  /** The sockets of the configuration that have this value, such as `port 8080`. */
  readonly sockets: string;
  /** The kernel's value before. */
  readonly initial?: number | string;
  readonly outcome: OptionOutcome;
}

function planFor(values: OptionValues, target: OptionTarget, exactBuffers: boolean): Plan {
  const family = target === 'datagram' ? 'udp' : 'tcp';
  return planOptions(platform(), values, {
    target,
    family,
    clientSpeaksFirst: true,
    exactBuffers,
  } satisfies SocketKind);
}

type Tried = Pick<Verification, 'initial' | 'outcome'>;

/** Set an option on a test socket. */
function trySocket(step: Step, { handle }: ProbeSocket): Tried {
  const initial = readOption(platform(), step, handle);
  const outcome = applyAndConfirm(platform(), step, handle);
  return { ...(initial === undefined ? {} : { initial }), outcome };
}

async function trySetting(step: Step, target: OptionTarget): Promise<Tried> {
  const noIPv6 = step.row.ipv6Only ? await whyNoIPv6() : undefined;
  if (noIPv6 !== undefined) return { outcome: { ...step.applied, verdict: 'unsupported', cause: noIPv6 } };
  const socket = await probeSocket(platform(), step.row, target);
  try {
    return trySocket(step, socket);
  } finally {
    socket.close();
  }
}

/** Set an option on a listener, and look whether the socket that it accepts has the same. If not, set it there, as the preload does. */
async function tryInheriting(step: Step, ofListener: Step): Promise<Tried> {
  const current = platform();
  let own: OptionOutcome | undefined;
  const socket = await probeConnection(step.row, 'accepted', (listener) => {
    own = applyAndConfirm(current, ofListener, listener);
  });
  try {
    const kernel = readOption(current, step, socket.handle);
    if (kernel === undefined || kernel !== own?.kernel) return trySocket(step, socket);
    return { outcome: { ...answered(step, step.applied, kernel), verdict: 'inherited' } };
  } finally {
    socket.close();
  }
}

/** Try the options of some sockets on a test socket each. */
async function verifyScope(
  { name, values }: Pick<SocketScope, 'name' | 'values'>,
  target: OptionTarget,
  exactBuffers: boolean,
): Promise<readonly Verification[]> {
  const { steps, skipped } = planFor(values, target, exactBuffers);
  const ofListener = target === 'accepted' ? planFor(values, 'listener', exactBuffers).steps : [];
  const found: Verification[] = [];
  for (const step of steps) {
    const parent = ofListener.find(({ row }) => row === step.row);
    const isInherited = parent !== undefined && step.row.lasting !== false;
    const tried = isInherited ? await tryInheriting(step, parent) : await trySetting(step, target);
    found.push({ variable: step.row.variable, constant: step.row.constant, target, sockets: name, ...tried });
  }
  for (const outcome of skipped) {
    const variable = OPTION_ROWS.find(({ key }) => key === outcome.option)?.variable ?? 'RAW';
    found.push({ variable, constant: outcome.constant, target, sockets: name, outcome });
  }
  return found;
}

/** Try every option of a configuration. An option that only other systems have is left out, unless the user has named it. */
async function verifyConfig(environment: EnvironmentConfig): Promise<readonly Verification[]> {
  const { config, asked } = environment;
  const { constants, unavailable } = platform();
  const isShown = ({ constant, outcome }: Verification): boolean =>
    unavailable !== undefined ||
    outcome.option === 'raw' ||
    asked.has(outcome.option) ||
    constants[constant] !== undefined;
  const all: Verification[] = [];
  for (const scope of socketScopes(environment)) {
    for (const target of scope.targets) {
      const name = scope.targets.length === 1 ? scope.name : `${scope.name}, ${target}`;
      all.push(...(await verifyScope({ ...scope, name }, target, config.bufferMode === 'exact')));
    }
  }
  return all.filter(isShown);
}

/** A row's sample, with the option that it requires. */
function sampleValues(row: OptionRow): OptionValues {
  return { ...(row.requires === undefined ? {} : { [row.requires]: true }), [row.key]: row.sample };
}

/** Try the sample of every option on every kind of socket that it is for. */
async function verifySamples(): Promise<readonly Verification[]> {
  const all: Verification[] = [];
  for (const row of OPTION_ROWS) {
    for (const target of TARGETS) {
      const { steps, skipped } = planFor(sampleValues(row), target, true);
      const about = { variable: row.variable, constant: row.constant, target, sockets: target };
      const step = steps.find((candidate) => candidate.row === row);
      const skip = skipped.find(({ option }) => option === row.key);
      if (step !== undefined) all.push({ ...about, ...(await trySetting(step, target)) });
      else if (skip !== undefined) all.push({ ...about, outcome: skip });
    }
  }
  return all;
}

function styled(output: Output, { verdict, cause, note }: OptionOutcome): string {
  const why = cause ?? note;
  const text = why === undefined ? verdict : `${verdict}: ${why}`;
  if (verdict === 'applied' || verdict === 'inherited') return output.style('green', text);
  if (verdict === 'unneeded') return output.style('dim', text);
  return output.style(verdict === 'refused' ? 'red' : 'yellow', text);
}

/** `12 applied (2 of them kept as another number), 7 inherited, 1 refused`. */
function summaryOf(all: readonly Verification[]): string {
  const amounts = new Map<Verdict, number>();
  for (const { outcome } of all) amounts.set(outcome.verdict, (amounts.get(outcome.verdict) ?? 0) + 1);
  const kept = all.filter(({ outcome }) => outcome.verdict === 'applied' && outcome.note !== undefined).length;
  return Array.from(amounts, ([verdict, amount]) => {
    const text = `${amount} ${verdict}`;
    return verdict === 'applied' && kept > 0 ? `${text} (${kept} of them kept as another number)` : text;
  }).join(', ');
}

/** Options that have a value, and that no call sets. */
function watchedOptions({ config }: EnvironmentConfig): readonly string[] {
  return OPTION_ROWS.filter((row) => row.watched && optionValue(config, row) !== undefined).map((row) => row.variable);
}

function print(output: Output, all: readonly Verification[]): void {
  const rows = all.map(({ variable, sockets, initial, outcome }) => [
    variable,
    sockets,
    String(initial ?? '–'),
    String(outcome.asked),
    String(outcome.kernel ?? '–'),
    styled(output, outcome),
  ]);
  output.line(output.table(['option', 'sockets', 'before', 'asked', 'kernel', 'verdict'], rows));
  output.line();
}

/**
 * Set the options of a configuration on test sockets, and print what the kernel made of them.
 *
 * @param environment undefined: a sample of every option is set
 * @returns false if the kernel refused an option, or does not have one that was set by name
 */
export async function verify(
  output: Output,
  environment: EnvironmentConfig | undefined,
  { json }: { readonly json: boolean },
): Promise<boolean> {
  const all = await (environment === undefined ? verifySamples() : verifyConfig(environment));
  const isAsked = ({ option }: OptionOutcome): boolean => option === 'raw' || environment?.asked.has(option) === true;
  const isLacking = ({ outcome }: Verification): boolean =>
    outcome.verdict === 'refused' || (outcome.verdict === 'unsupported' && isAsked(outcome));
  if (json) output.json(all);
  else {
    print(output, all);
    const watched = environment === undefined ? [] : watchedOptions(environment);
    if (watched.length > 0)
      output.paragraph(`Not set on sockets, because connections are watched instead: ${watched.join(', ')}.`, '');
    const what = environment === undefined ? 'Samples of all options' : 'The configuration of this environment';
    output.paragraph(`${what}, ${all.length} on test sockets: ${summaryOf(all) || 'nothing is set'}.`, '');
  }
  return !all.some(isLacking);
}
