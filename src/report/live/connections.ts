import { now } from '../../node/clock.js';
import type { SocketHandle } from '../../node/net.js';
import type { ListenerRecord } from '../listener-record.js';
import { LiveHandles } from './handles.js';

/** An accepted connection that is open. */
export interface LiveConnection {
  readonly handle: SocketHandle;
  readonly listener: ListenerRecord;
  /** When it was accepted, in milliseconds of the wall clock. */
  readonly since: number;
}

let live: LiveHandles<LiveConnection> | undefined;

/** Keep a list of the connections that are accepted from now on. Returns the undo. */
export function watchConnections(): () => void {
  live ??= new LiveHandles();
  return () => {
    live = undefined;
  };
}

/** Note an accepted connection. Costs one comparison while nobody watches. */
export function noteConnection(handle: SocketHandle, listener: ListenerRecord): void {
  live?.add({ handle, listener, since: now() });
}

/** The open connections. */
export function liveConnections(): readonly LiveConnection[] {
  return live?.open() ?? [];
}
