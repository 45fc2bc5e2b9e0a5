import type { Platform } from '../../native/platform.js';
import type { SocketHandle } from '../../node/net.js';
import { alreadyEnough, applyAndConfirm, confirm, readOption } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import type { Step } from '../../options/plan.js';

/** Options that an app can set through Node's own API, so they do not show that socket-tune has set them. */
const SET_BY_APPS: ReadonlySet<string> = new Set(['noDelay', 'keepAlive', 'keepAliveIdle', 'typeOfService']);

type KernelValue = OptionOutcome['kernel'];

/** The options of new sockets. Each is read once, from a socket that is made for it. */
const initialValues = new WeakMap<Platform, Map<string, KernelValue>>();

function readInitial(platform: Platform, step: Step, isDatagram: boolean): KernelValue {
  // Without IPv6 in the system, no socket to compare with is IPv6 either.
  const kind = isDatagram ? 'datagram' : 'stream';
  const ofIPv6 = platform.openSocket(true, kind);
  const fd = ofIPv6 >= 0 ? ofIPv6 : platform.openSocket(false, kind);
  if (fd < 0) return undefined;
  const kernel = readOption(platform, step, { fd });
  platform.close(fd);
  return kernel;
}

function initialValue(platform: Platform, step: Step): KernelValue {
  const known = initialValues.get(platform) ?? new Map<string, KernelValue>();
  initialValues.set(platform, known);
  const isDatagram = step.row.targets.every((target) => target === 'datagram');
  const key = `${isDatagram} ${step.constant.level} ${step.constant.name}`;
  if (!known.has(key)) known.set(key, readInitial(platform, step, isDatagram));
  return known.get(key);
}

/** An option of a foreign socket before we set anything. */
interface FoundOption {
  readonly step: Step;
  /** As the outcome of a call that would have set it. */
  readonly found: OptionOutcome;
  /** The option of a new socket; undefined where nothing depends on it. */
  readonly initial: KernelValue;
}

function findOption(platform: Platform, step: Step, handle: SocketHandle): FoundOption {
  const found = confirm(platform, step, step.applied, handle);
  const isSettled = found.kernel === undefined || alreadyEnough(step, found.kernel) !== undefined;
  return { step, found, initial: isSettled ? undefined : initialValue(platform, step) };
}

/** Whether the kernel's value tells if somebody has set the option. The kernel changes buffer sizes by itself. */
function isTelling({ step: { row }, found, initial }: FoundOption): boolean {
  return found.kernel !== undefined && initial !== undefined && row.floor !== 'receive' && row.floor !== 'send';
}

function isAsAsked({ found }: FoundOption): boolean {
  return found.verdict === 'applied' || found.verdict === 'inert';
}

function showsTuning(option: FoundOption): boolean {
  const { step, found, initial } = option;
  return isTelling(option) && isAsAsked(option) && found.kernel !== initial && !SET_BY_APPS.has(step.row.key);
}

/** Whether another socket-tune has set these options on a socket, or on the listener that accepted it. */
export function isTunedElsewhere(platform: Platform, steps: readonly Step[], handle: SocketHandle): boolean {
  return steps.some((step) => step.row.lasting !== false && showsTuning(findOption(platform, step, handle)));
}

/** A socket that was opened, or a listener that was bound, by somebody else. */
interface ForeignSocket {
  readonly platform: Platform;
  readonly handle: SocketHandle;
  readonly isTuned: boolean;
  readonly isOurs: (step: Step) => boolean;
}

const TAKEN_BACK = 'the app that it comes from has taken it back';
const SET_ELSEWHERE = 'whoever has opened the socket has set it';

function inherited({ found }: FoundOption): OptionOutcome {
  return { ...found, verdict: 'inherited' };
}

/** Set an option, or leave it, by the value that was found. */
function setOrKeep({ platform, handle, isTuned, isOurs }: ForeignSocket, option: FoundOption): OptionOutcome {
  const { step, found, initial } = option;
  const hasAlready = alreadyEnough(step, found.kernel);
  if (hasAlready !== undefined) return hasAlready;
  if (!isTelling(option)) return applyAndConfirm(platform, step, handle);
  if (isAsAsked(option)) return inherited(option);
  const isUntouched = found.kernel === initial;
  if (isUntouched ? !isTuned : isOurs(step)) return applyAndConfirm(platform, step, handle);
  // A second look: another process may be tuning the same listener, and have set this option since the first.
  const now = findOption(platform, step, handle);
  if (isAsAsked(now)) return inherited(now);
  return { ...now.found, verdict: 'unneeded', cause: isUntouched ? TAKEN_BACK : SET_ELSEWHERE };
}

/** What came of the options of a foreign socket. */
export interface ForeignOutcomes {
  /** Another socket-tune has tuned the socket, or its listener. An option that is not as asked was taken back by an app. */
  readonly isTuned: boolean;
  readonly outcomes: readonly OptionOutcome[];
}

/**
 * Tune a socket that was opened by somebody else: in this process or another, with socket-tune or without. Skips values that are
 * as asked, keeps values that others have set, and sets values that are the kernel's defaults. Keeps a default too where an
 * app has gone back to it.
 *
 * @param isOurs whether the user has named the option: it replaces a value that others have set
 */
export function tuneForeignSocket(
  platform: Platform,
  steps: readonly Step[],
  handle: SocketHandle,
  isOurs: (step: Step) => boolean,
): ForeignOutcomes {
  // All are read before the first is set: what we set would show as tuning.
  const options = steps.map((step) => (step.row.lasting === false ? undefined : findOption(platform, step, handle)));
  const isTuned = options.some((option) => option !== undefined && showsTuning(option));
  const socket: ForeignSocket = { platform, handle, isTuned, isOurs };
  const outcomes = steps.map((step, index): OptionOutcome => {
    const option = options[index];
    return option === undefined ? applyAndConfirm(platform, step, handle) : setOrKeep(socket, option);
  });
  return { isTuned, outcomes };
}
