import type { Platform } from '../../native/platform.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type NetSocket, type SocketHandle, serverOf } from '../../node/net.js';
import type { Step } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';

/** What sockets of one listener, or outgoing ones, were given, for those who come later to keep. */
export interface Tuning {
  readonly platform: Platform;
  readonly values: OptionValues;
  /** What comes back after Node has rewritten it. */
  readonly restored: readonly Step[];
}

/** By server, as that costs nothing for each connection. */
const ofServer = hiddenSlot<object, Tuning>();
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

/** What a socket was given by us; undefined if nothing. */
export function tuningOf(socket: NetSocket): Tuning | undefined {
  const { _handle: handle } = socket;
  const server = serverOf(socket);
  const own = handle === null ? undefined : handleTuning(handle);
  // An http server calls a socket its own that it was only handed over.
  if (own !== undefined || typeof server !== 'object' || server === null) return own;
  return ofServer.get(server);
}
