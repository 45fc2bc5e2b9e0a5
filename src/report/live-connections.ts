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

/** Keep a list of the connections that are accepted from now on. Returns the undo. */
export function watchConnections(): () => void {
  live ??= new Set();
  return () => {
    live = undefined;
  };
}

/** Note an accepted connection. Costs one comparison while nobody watches. */
export function noteConnection(handle: SocketHandle, listener: ListenerRecord): void {
  live?.add({ handle, listener, since: now() });
}

/** The open connections. Those that were closed since the last call are dropped from the list. */
export function liveConnections(): readonly LiveConnection[] {
  if (live === undefined) return [];
  for (const connection of live) if (fdOf(connection.handle) < 0) live.delete(connection);
  return [...live];
}
