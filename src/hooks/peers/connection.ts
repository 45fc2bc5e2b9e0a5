import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type SocketHandle } from '../../node/net.js';
import type { DestinationRecord } from '../../report/destination-record.js';

/** An open connection whose peer is watched, or whose destination is counted. */
export interface PeerConnection {
  readonly handle: SocketHandle;
  /** The socket that has connected it; undefined for an accepted one. */
  readonly owner: unknown;
  /** Of an outgoing connection. */
  readonly destination: DestinationRecord | undefined;
  /** The set that it waits in, to be armed or to be looked at. It leaves the set when it ends. */
  waitsIn: Set<PeerConnection> | undefined;
  /** Bytes written at the last look. */
  written: number;
  /** At the last look, something was on its way. */
  isBusy: boolean;
  /** The app's or the user's TCP_USER_TIMEOUT, while ours is in its place. */
  restingTimeout: number | undefined;
  hasEnded: boolean;
}

/** On the TCP handle, which a TLSWrap has below it. */
const connections = hiddenSlot<SocketHandle, PeerConnection>();

/** Note a connection that is open. */
export function trackConnection(
  handle: SocketHandle,
  owner?: unknown,
  destination?: DestinationRecord,
): PeerConnection {
  const connection: PeerConnection = {
    handle,
    owner,
    destination,
    waitsIn: undefined,
    written: 0,
    isBusy: false,
    restingTimeout: undefined,
    hasEnded: false,
  };
  connections.set(handle, connection);
  return connection;
}

/** The connection of a socket's handle; undefined where it is not tracked. */
export function connectionOf(handle: SocketHandle): PeerConnection | undefined {
  const own = connections.get(handle);
  if (own !== undefined) return own;
  const below = handleBelow(handle);
  return below === undefined ? undefined : connections.get(below);
}

/** Move a connection to a set, or out of any. */
export function waitIn(connection: PeerConnection, set: Set<PeerConnection> | undefined): void {
  connection.waitsIn?.delete(connection);
  connection.waitsIn = set;
  set?.add(connection);
}

/** The connection is over. May be called more than once. */
export function endConnection(connection: PeerConnection): void {
  if (connection.hasEnded) return;
  connection.hasEnded = true;
  waitIn(connection, undefined);
  if (connection.destination !== undefined) connection.destination.open--;
}
