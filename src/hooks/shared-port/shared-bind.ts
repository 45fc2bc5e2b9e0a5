import { net } from '../../node/modules.js';
import type { BoundHandle } from '../../node/net.js';
import type { Step } from '../../options/plan.js';
import { setBeforeBind } from '../before-bind.js';
import type { HookContext } from '../context.js';
import { isBoundTo } from './reuse-port.js';

/** What Node binds a TCP handle to (lib/net.js `createServerHandle`). */
export interface Place {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number;
  readonly flags?: number | undefined;
}

/** A handle as Node would bind it: a number is libuv's error. */
export function bindHandle({ address, port, addressType, flags }: Place): BoundHandle | number | undefined {
  return net()._createServerHandle?.(address, port, addressType, undefined, flags);
}

/**
 * A handle that shares its port.
 *
 * @param step makes it share
 * @returns undefined if none can be had: somebody has the port for himself, or the system does not let it be shared
 */
export function bindShared(context: HookContext, step: Step, place: Place): BoundHandle | undefined {
  const { result, outcomes } = setBeforeBind(context, [step], () => bindHandle(place));
  if (typeof result !== 'object') return undefined;
  if (isBoundTo(result, place.port) && outcomes.every(({ verdict }) => verdict === 'applied')) return result;
  result.close();
  return undefined;
}
