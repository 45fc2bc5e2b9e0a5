import { boundPort } from '../../node/addresses.js';
import { cluster } from '../../node/cluster.js';
import { net } from '../../node/modules.js';
import { type BoundHandle, LISTEN_CHANNEL, type ListenHandle, type NetServer } from '../../node/net.js';
import { confirm } from '../../options/apply.js';
import { sharesPort } from '../../options/listener-needs.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { planOptions, type Step } from '../../options/plan.js';
import { setBeforeBind, stepsBeforeBindOf } from '../before-bind.js';
import { allValues, type HookContext, valuesAt } from '../context.js';
import { overlapsOwnPort } from './own-ports.js';

/** How listeners share a port; undefined if they do not. */
export function sharingOf(context: HookContext, port: number): 'on' | 'cpu' | undefined {
  const { reusePort = 'off' } = valuesAt(context, port);
  return reusePort === 'off' ? undefined : reusePort;
}

/** Whether the config shares any port. */
export function sharesPorts(context: HookContext): boolean {
  return allValues(context).some(sharesPort);
}

/** The step that sets SO_REUSEPORT on a listener; undefined if the port is not shared, or the system has no such option. */
export function sharingStep(context: HookContext, port: number): Step | undefined {
  const reusePort = sharingOf(context, port);
  if (reusePort === undefined) return undefined;
  const kind = { target: 'listener', family: 'tcp', clientSpeaksFirst: false, exactBuffers: false } as const;
  return planOptions(context.platform(), { reusePort }, kind).steps[0];
}

/** What Node binds a TCP handle to (lib/net.js `createServerHandle`). */
export interface BindAddress {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number;
  readonly flags?: number | undefined;
}

/** Bind a handle as Node does. Returns the handle, or libuv's error. */
export function bindHandle({ address, port, addressType, flags }: BindAddress): BoundHandle | number | undefined {
  return net()._createServerHandle?.(address, port, addressType, undefined, flags);
}

/**
 * Whether a handle is bound to its port. libuv keeps the EADDRINUSE of bind(2) for listen(2) (src/unix/tcp.c, `delayed_error`). A listen(2)
 * of our own would give the unbound handle another port (lib/net.js, `checkBindError`).
 */
export function isBoundTo(handle: ListenHandle, port: number): boolean {
  return port === 0 || boundPort(handle) === port;
}

/**
 * Bind a handle that shares its port.
 *
 * @param configuredPort the port whose settings count: 0, if the system has chosen the port for a listen() on 0
 * @returns undefined if the port is not to be shared, another process has it alone, or the system refuses SO_REUSEPORT
 */
export function bindShared(
  context: HookContext,
  address: BindAddress,
  configuredPort: number = address.port,
): BoundHandle | undefined {
  if (sharingStep(context, configuredPort) === undefined) return undefined;
  const steps = stepsBeforeBindOf(context, configuredPort);
  const { result, outcomes } = setBeforeBind(context, steps, () => bindHandle(address));
  if (typeof result !== 'object') return undefined;
  const isShared = outcomes.some(({ constant, verdict }) => constant === 'SO_REUSEPORT' && verdict === 'applied');
  if (isBoundTo(result, address.port) && isShared) return result;
  result.close();
  return undefined;
}

const exclusive = new WeakMap<object, true>();

/** Run `act`; servers that listen meanwhile do not share their port. */
export function withoutSharing(act: () => void): void {
  const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');
  const onListen = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('server' in message)) return;
    const { server } = message;
    if (typeof server === 'object' && server !== null) exclusive.set(server, true);
  };
  subscribe(LISTEN_CHANNEL, onListen);
  try {
    act();
  } finally {
    unsubscribe(LISTEN_CHANNEL, onListen);
  }
}

/**
 * Whether a server that binds by itself may share its port. A cluster worker that binds by itself wants the port alone: `exclusive` of its
 * listen().
 *
 * @param args of the server's `_listen2`
 */
export function maySharePort(server: NetServer, [address, port, , , , flags]: readonly unknown[]): boolean {
  if (typeof port !== 'number' || port <= 0 || exclusive.get(server) === true || cluster().isWorker) return false;
  return !overlapsOwnPort(address, port, flags);
}

/** The outcome of SO_REUSEPORT on a cluster worker's listener that its primary has bound; undefined of any other. */
export function sharingOutcome(context: HookContext, handle: ListenHandle, port: number): OptionOutcome | undefined {
  const step = sharingStep(context, port);
  if (step === undefined || !cluster().isWorker) return undefined;
  const outcome = confirm(context.platform(), step, step.applied, handle);
  if (outcome.kernel === 1) return outcome;
  return { ...step.applied, verdict: 'unneeded', cause: 'the primary of the cluster accepts for all its workers' };
}
