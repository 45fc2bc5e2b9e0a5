import { monotonic } from '../../node/clock.js';
import type { SocketHandle } from '../../node/net.js';
import type { DestinationRecord } from '../../report/destination-record.js';

/** What guards a connection, once it is open. */
export interface Opening {
  open(connection: PeerConnection): void;
}

/**
 * What we know of a connection: its peer is watched, its destination is counted, or it is used again. An outgoing one begins with connect(2).
 *
 * All in one object, and so in one slot of its socket: each further one takes a share of a short connection's CPU.
 */
export class PeerConnection {
  readonly handle: SocketHandle;
  /** The socket that connects it; undefined for an accepted one. */
  owner: unknown;
  /** Of an outgoing connection. */
  readonly destination: DestinationRecord | undefined;
  /** While connect(2) has no answer. */
  opening: Opening | undefined;
  /** When connect(2) was called. */
  readonly began: number;
  /** Bytes written at the last look. */
  written = 0;
  /** At the last look, something was on its way. */
  isBusy = false;
  /** The app's or the user's TCP_USER_TIMEOUT, while ours is in its place. */
  restingTimeout: number | undefined;
  hasEnded = false;
  /** How many of its writes were looked at, for who has written them. */
  looks = 0;
  /** When the kernel was asked last whether its peer has closed it. */
  askedAt = Number.NEGATIVE_INFINITY;
  /** Its list, and its neighbours there. */
  list: ConnectionList | undefined;
  previous: PeerConnection | undefined;
  next: PeerConnection | undefined;

  constructor(handle: SocketHandle, owner?: unknown, destination?: DestinationRecord, opening?: Opening) {
    this.handle = handle;
    this.owner = owner;
    this.destination = destination;
    this.opening = opening;
    this.began = opening === undefined ? 0 : monotonic();
  }

  get isOpen(): boolean {
    return this.opening === undefined && !this.hasEnded;
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

/** The connection is over. May be called more than once. */
export function endConnection(connection: PeerConnection): void {
  if (connection.hasEnded) return;
  connection.hasEnded = true;
  connection.list?.remove(connection);
  // The handle outlives it, until it is collected.
  connection.owner = undefined;
  if (connection.destination !== undefined) connection.destination.open--;
}
