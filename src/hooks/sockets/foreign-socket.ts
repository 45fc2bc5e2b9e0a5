import type { Platform } from '../../native/platform.js';
import type { SocketHandle } from '../../node/net.js';
import { alreadyEnough, applyAndConfirm, confirm, readOption } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import type { Step } from '../../options/plan.js';

/** What an app may have said through Node's own API, so that to find it does not show that socket-tune has been here. */
const APPS_SAY: ReadonlySet<string> = new Set(['noDelay', 'keepAlive', 'keepAliveIdle', 'typeOfService']);

type Kernel = OptionOutcome['kernel'];

/** What new sockets have, by the system: asked once for each option, of a socket that is made for it. */
const initialValues = new WeakMap<Platform, Map<string, Kernel>>();

function readInitial(platform: Platform, step: Step, isDatagram: boolean): Kernel {
  // Where there is no IPv6 there are no IPv6 sockets to compare with.
  const ofIPv6 = platform.openSocket(true, isDatagram);
  const fd = ofIPv6 >= 0 ? ofIPv6 : platform.openSocket(false, isDatagram);
  if (fd < 0) return undefined;
  const kernel = readOption(platform, step, { fd });
  platform.close(fd);
  return kernel;
}

function initialValue(platform: Platform, step: Step): Kernel {
  const known = initialValues.get(platform) ?? new Map<string, Kernel>();
  initialValues.set(platform, known);
  const isDatagram = step.row.targets.every((target) => target === 'datagram');
  const key = `${isDatagram} ${step.constant.level} ${step.constant.name}`;
  if (!known.has(key)) known.set(key, readInitial(platform, step, isDatagram));
  return known.get(key);
}

/** What an option of a socket is found to be. */
interface Finding {
  readonly step: Step;
  readonly found: OptionOutcome;
  readonly initial: Kernel;
}

function look(platform: Platform, step: Step, handle: SocketHandle): Finding {
  const found = confirm(platform, step, step.applied, handle);
  const isSettled = found.kernel === undefined || alreadyEnough(step, found.kernel) !== undefined;
  return { step, found, initial: isSettled ? undefined : initialValue(platform, step) };
}

/** Where the kernel does not say what an option was, nobody can tell who has set it. */
function isKnown({ step: { row }, found, initial }: Finding): boolean {
  // A buffer that the kernel has grown is nobody's word.
  return found.kernel !== undefined && initial !== undefined && row.floor !== 'receive' && row.floor !== 'send';
}

function isAsAsked({ found }: Finding): boolean {
  return found.verdict === 'applied' || found.verdict === 'inert';
}

function showsTuning(finding: Finding): boolean {
  const { step, found, initial } = finding;
  return isKnown(finding) && isAsAsked(finding) && found.kernel !== initial && !APPS_SAY.has(step.row.key);
}

const TAKEN_BACK = 'the app that it comes from has taken it back';
const SET_ELSEWHERE = 'whoever has opened the socket has set it';

function inherited({ found }: Finding): OptionOutcome {
  return { ...found, verdict: 'inherited' };
}

/** What is known of a socket that was opened, or a listener that was bound, by somebody else. */
export interface GivenState {
  /** Another socket-tune has tuned it, or the listener that it comes from: what it has not is what an app has taken back. */
  readonly isTuned: boolean;
  readonly outcomes: readonly OptionOutcome[];
}

/** Whether another socket-tune has set these options on a socket, or on the listener that it comes from. */
export function isTunedElsewhere(platform: Platform, steps: readonly Step[], handle: SocketHandle): boolean {
  return steps.some((step) => step.row.lasting !== false && showsTuning(look(platform, step, handle)));
}

interface Given {
  readonly platform: Platform;
  readonly handle: SocketHandle;
  readonly isTuned: boolean;
  readonly isOurs: (step: Step) => boolean;
}

/** Set an option, or leave it, by what it was found to be. */
function settle({ platform, handle, isTuned, isOurs }: Given, finding: Finding): OptionOutcome {
  const { step, found, initial } = finding;
  const hasAlready = alreadyEnough(step, found.kernel);
  if (hasAlready !== undefined) return hasAlready;
  if (!isKnown(finding)) return applyAndConfirm(platform, step, handle);
  if (isAsAsked(finding)) return inherited(finding);
  const isUntouched = found.kernel === initial;
  if (isUntouched ? !isTuned : isOurs(step)) return applyAndConfirm(platform, step, handle);
  // Another process may be about to tune a listener that we share, and have come to this option by now.
  const now = look(platform, step, handle);
  if (isAsAsked(now)) return inherited(now);
  return { ...now.found, verdict: 'unneeded', cause: isUntouched ? TAKEN_BACK : SET_ELSEWHERE };
}

/**
 * Tune a socket that was opened by somebody else, who may have set options of it, or have had an app that did: in this process or
 * another, with socket-tune or without. The kernel is asked for each option: what is as it is to be costs no call, what somebody has
 * set stands, and only what is as on any new socket is set, unless it was so on purpose.
 *
 * @param isOurs whether the user has named the option, and it is set though somebody else has set it to another value
 */
export function tuneGiven(
  platform: Platform,
  steps: readonly Step[],
  handle: SocketHandle,
  isOurs: (step: Step) => boolean,
): GivenState {
  const findings = steps.map((step) => (step.row.lasting === false ? undefined : look(platform, step, handle)));
  const isTuned = findings.some((finding) => finding !== undefined && showsTuning(finding));
  const given: Given = { platform, handle, isTuned, isOurs };
  const outcomes = steps.map((step, index): OptionOutcome => {
    const finding = findings[index];
    return finding === undefined ? applyAndConfirm(platform, step, handle) : settle(given, finding);
  });
  return { isTuned, outcomes };
}
