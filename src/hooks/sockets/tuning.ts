import type { Platform } from '../../native/platform.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type NetSocket, type SocketHandle, serverOf } from '../../node/net.js';
import type { Step } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';

/** How the sockets of one listener, or outgoing ones, were tuned: for hooks that act on a socket later. */
export interface Tuning {
  readonly platform: Platform;
  readonly values: OptionValues;
  /** Options to set again after Node has set them to its own values. */
  readonly restored: readonly Step[];
  /** Have keepalive end the connection in the time for a dead peer, where the app's or a library's times are longer. */
  tighten?(handle: SocketHandle): void;
}

/** By server, so that a connection costs nothing. */
const ofServer = new WeakMap<object, Tuning>();
const ofHandle = hiddenSlot<SocketHandle, Tuning>();

export function setServerTuning(server: object, tuning: Tuning): void {
  ofServer.set(server, tuning);
}

export function setHandleTuning(handle: SocketHandle, tuning: Tuning): void {
  ofHandle.set(handle, tuning);
}

function handleTuning(handle: SocketHandle): Tuning | undefined {
  const own = ofHandle.get(handle);
  if (own !== undefined) return own;
  const below = handleBelow(handle);
  return below === undefined ? undefined : ofHandle.get(below);
}

/** How a socket was tuned; undefined if it was not. */
export function tuningOf(socket: NetSocket): Tuning | undefined {
  const { _handle: handle } = socket;
  const server = serverOf(socket);
  const own = handle == null ? undefined : handleTuning(handle);
  // An http server is also the `server` of sockets that the app has passed to it, which it has not accepted.
  if (own !== undefined || typeof server !== 'object' || server === null) return own;
  return ofServer.get(server);
}
