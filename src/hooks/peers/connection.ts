import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type SocketHandle } from '../../node/net.js';
import type { DestinationRecord } from '../../report/destination-record.js';

/** An open connection whose peer is watched, or whose destination is counted. */
export class PeerConnection {
  readonly handle: SocketHandle;
  /** The socket that has connected it; undefined for an accepted one. */
  owner: unknown;
  /** Of an outgoing connection. */
  readonly destination: DestinationRecord | undefined;
  /** Bytes written at the last look. */
  written = 0;
  /** At the last look, something was on its way. */
  isBusy = false;
  /** The app's or the user's TCP_USER_TIMEOUT, while ours is in its place. */
  restingTimeout: number | undefined;
  hasEnded = false;
  /** Its list, and its neighbours there. */
  list: ConnectionList | undefined;
  previous: PeerConnection | undefined;
  next: PeerConnection | undefined;

  constructor(handle: SocketHandle, owner?: unknown, destination?: DestinationRecord) {
    this.handle = handle;
    this.owner = owner;
    this.destination = destination;
  }
}

/**
 * Connections that wait: to be guarded, or for the next look. A connection is in one list at most, and leaves it when it ends.
 *
 * Linked by the connections themselves. A Set costs several times as much where thousands come and go within a second.
 */
export class ConnectionList {
  #first: PeerConnection | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Take a connection in, from wherever it is. */
  add(connection: PeerConnection): void {
    connection.list?.remove(connection);
    connection.list = this;
    connection.next = this.#first;
    if (this.#first !== undefined) this.#first.previous = connection;
    this.#first = connection;
  }

  remove(connection: PeerConnection): void {
    const { previous, next } = connection;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    connection.previous = undefined;
    connection.next = undefined;
    connection.list = undefined;
  }

  /** Call `use` with each. It may remove that one. */
  each(use: (connection: PeerConnection) => void): void {
    let connection = this.#first;
    while (connection !== undefined) {
      const { next } = connection;
      use(connection);
      connection = next;
    }
  }
}

/** On the TCP handle, which a TLSWrap has below it. */
const connections = hiddenSlot<SocketHandle, PeerConnection>();

let onFirst: (() => void) | undefined;

/** Call back when the next connection is expected, or noted. Returns what calls it off. */
export function beforeFirst(callback: () => void): () => void {
  onFirst = callback;
  return () => {
    onFirst = undefined;
  };
}

/** There is going to be a connection. */
export function expectConnections(): void {
  const first = onFirst;
  if (first === undefined) return;
  onFirst = undefined;
  first();
}

/** Note a connection that is open. */
export function trackConnection(connection: PeerConnection): void {
  expectConnections();
  connections.set(connection.handle, connection);
}

/** The connection of a socket's handle; undefined where it is not tracked. */
export function connectionOf(handle: SocketHandle): PeerConnection | undefined {
  const own = connections.get(handle);
  if (own !== undefined) return own;
  const below = handleBelow(handle);
  return below === undefined ? undefined : connections.get(below);
}

/** The connection is over. May be called more than once. */
export function endConnection(connection: PeerConnection): void {
  if (connection.hasEnded) return;
  connection.hasEnded = true;
  connection.list?.remove(connection);
  // The handle outlives it, until it is collected.
  connection.owner = undefined;
  if (connection.destination !== undefined) connection.destination.open--;
}
