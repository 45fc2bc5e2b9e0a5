import { platform } from '../native/index.js';
import { applyAndConfirm, readOption } from '../options/apply.js';
import type { OptionOutcome } from '../options/outcome.js';
import { planOptions } from '../options/plan.js';
import type { OptionTarget } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionRow } from '../options/table.js';
import type { Output } from './output.js';
import { probeSocket, whyNoIPv6 } from './probe-sockets.js';

const TARGETS: readonly OptionTarget[] = ['listener', 'accepted', 'outgoing', 'datagram'];

/** The outcome of one option on one kind of socket. */
export interface Verification {
  readonly variable: string;
  readonly constant: string;
  readonly target: OptionTarget;
  /** The kernel's value before. */
  readonly initial?: number | string;
  readonly outcome: OptionOutcome;
}

/** Set a row's sample on a test socket of a kind. Undefined if the row is not for this kind. */
async function verifyRow(row: OptionRow, target: OptionTarget): Promise<Verification | undefined> {
  if (!row.targets.includes(target)) return undefined;
  const current = platform();
  const values = { ...(row.requires === undefined ? {} : { [row.requires]: true }), [row.key]: row.sample };
  const family = target === 'datagram' ? 'udp' : 'tcp';
  const kind = { target, family, clientSpeaksFirst: true, exactBuffers: true } as const;
  const { steps, skipped } = planOptions(current, values, kind);
  const about = { variable: row.variable, constant: row.constant, target };
  const skip = skipped.find(({ option }) => option === row.key);
  if (skip !== undefined) return { ...about, outcome: skip };
  const step = steps.find((candidate) => candidate.row === row);
  // On this system the option is set on another kind of socket.
  if (step === undefined) return undefined;
  const noIPv6 = row.ipv6Only ? await whyNoIPv6() : undefined;
  if (noIPv6 !== undefined) return { ...about, outcome: { ...step.applied, verdict: 'unsupported', cause: noIPv6 } };
  const socket = await probeSocket(current, row, target);
  try {
    const initial = readOption(current, step, socket.handle);
    const outcome = applyAndConfirm(current, step, socket.handle);
    return { ...about, ...(initial === undefined ? {} : { initial }), outcome };
  } finally {
    socket.close();
  }
}

/** Try every option on every kind of socket that it is for. */
async function verifyOptions(): Promise<readonly Verification[]> {
  const verifications: Verification[] = [];
  for (const row of OPTION_ROWS) {
    for (const target of TARGETS) {
      const verification = await verifyRow(row, target);
      if (verification !== undefined) verifications.push(verification);
    }
  }
  return verifications;
}

function styled(output: Output, { verdict, cause }: OptionOutcome): string {
  const text = cause === undefined ? verdict : `${verdict}: ${cause}`;
  if (verdict === 'applied') return output.style('green', text);
  return output.style(verdict === 'refused' ? 'red' : 'yellow', text);
}

/**
 * Set every option on test sockets, and print what the kernel made of it.
 *
 * @returns false if the kernel refused an option
 */
export async function verify(output: Output, { json }: { json: boolean }): Promise<boolean> {
  const all = await verifyOptions();
  const refused = all.filter(({ outcome }) => outcome.verdict === 'refused').length;
  if (json) output.json(all);
  else {
    const rows = all.map(({ variable, target, initial, outcome }) => [
      variable,
      target,
      String(initial ?? '–'),
      String(outcome.asked),
      String(outcome.kernel ?? '–'),
      styled(output, outcome),
    ]);
    output.line(output.table(['option', 'socket', 'before', 'asked', 'kernel', 'verdict'], rows));
    output.line();
    const equal = all.filter(({ outcome }) => outcome.verdict === 'applied').length;
    output.line(
      `${all.length} of ${all.length} have a verdict; ${equal} were taken as they were asked for, ${refused} refused`,
    );
  }
  return refused === 0;
}
