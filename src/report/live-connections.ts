import { fdOf } from '../native/sockets/handle-fd.js';
import { now } from '../node/clock.js';
import type { SocketHandle } from '../node/net.js';
import type { ListenerRecord } from './listener-record.js';

/** An accepted connection that is open. */
export interface LiveConnection {
  readonly handle: SocketHandle;
  readonly listener: ListenerRecord;
  /** When it was accepted, in milliseconds of the wall clock. */
  readonly since: number;
}

let live: Set<LiveConnection> | undefined;

/** Keep a list of the connections that are accepted from now on: somebody wants to see them. */
export function watchConnections(): () => void {
  live ??= new Set();
  return () => {
    live = undefined;
  };
}

/** A connection has been accepted. Costs one comparison while nobody watches. */
export function noteConnection(handle: SocketHandle, listener: ListenerRecord): void {
  live?.add({ handle, listener, since: now() });
}

/** The connections that are open. Those that have been closed since the last call are forgotten. */
export function liveConnections(): readonly LiveConnection[] {
  if (live === undefined) return [];
  for (const connection of live) if (fdOf(connection.handle) < 0) live.delete(connection);
  return [...live];
}
