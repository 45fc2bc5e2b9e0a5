import { boundPort } from '../../node/addresses.js';
import { cluster } from '../../node/cluster.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { ListenHandle, NetServer } from '../../node/net.js';
import { confirm } from '../../options/apply.js';
import { sharesPort } from '../../options/listener-needs.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { planOptions, type Step } from '../../options/plan.js';
import { allValues, type HookContext, valuesAt } from '../context.js';
import { holdsPort } from './own-ports.js';

/** How listeners on a port share it; undefined where each has it for itself. */
export function sharingOf(context: HookContext, port: number): 'on' | 'cpu' | undefined {
  const { reusePort = 'off' } = valuesAt(context, port);
  return reusePort === 'off' ? undefined : reusePort;
}

/** Whether there is any port at all that is to be shared. */
export function sharesPorts(context: HookContext): boolean {
  return allValues(context).some(sharesPort);
}

/** What makes a listener on this port one of several. */
export function sharingStep(context: HookContext, port: number): Step | undefined {
  const reusePort = sharingOf(context, port);
  if (reusePort === undefined) return undefined;
  const kind = { target: 'listener', family: 'tcp', clientSpeaksFirst: false, exactBuffers: false } as const;
  return planOptions(context.platform(), { reusePort }, kind).steps[0];
}

/**
 * Whether a handle has got the port that it was to have. That somebody else has it comes to light when it listens (src/unix/tcp.c of libuv,
 * `delayed_error`), and listen(2) by itself would give it another (lib/net.js, `checkBindError`).
 */
export function isBoundTo(handle: ListenHandle, port: number): boolean {
  return port === 0 || boundPort(handle) === port;
}

const exclusive = hiddenSlot<object, true>();

/** Leave a server its port for itself: it listens on behalf of others, who are to be told if somebody has it. */
export function keepExclusive(server: object): void {
  exclusive.set(server, true);
}

/** Listeners that this process has made for itself, and that nobody keeps open when it closes them. */
export const ownListeners = hiddenSlot<object, true>();

/**
 * Whether a server that binds by itself may share its port. A worker of a cluster does that only where it wants one of its own.
 *
 * @param place what its `_listen2` is given
 */
export function maySharePort(server: NetServer, [address, port, , , , flags]: readonly unknown[]): boolean {
  if (typeof port !== 'number' || port <= 0 || exclusive.get(server) === true || cluster().isWorker) return false;
  return !holdsPort(address, port, flags);
}

/** What has become of a port that is to be shared, on a listener that was bound elsewhere. */
export function sharingOutcome(context: HookContext, handle: ListenHandle, port: number): OptionOutcome | undefined {
  const step = sharingStep(context, port);
  if (step === undefined || !cluster().isWorker) return undefined;
  const outcome = confirm(context.platform(), step, step.applied, handle);
  if (outcome.kernel === 1) return outcome;
  return { ...step.applied, verdict: 'unneeded', cause: 'the primary of the cluster accepts for all its workers' };
}
