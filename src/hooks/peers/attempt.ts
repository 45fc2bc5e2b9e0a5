import { monotonic } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { NetSocket, SocketHandle } from '../../node/net.js';
import type { DestinationRecord } from '../../report/destination-record.js';
import { expectConnections, PeerConnection } from './connection.js';

/** An attempt to connect that has no answer yet. */
class Attempt {
  readonly #handle: SocketHandle;
  readonly #destination: DestinationRecord;
  readonly #began = monotonic();
  readonly #onOpen: (connection: PeerConnection) => void;

  constructor(handle: SocketHandle, destination: DestinationRecord, onOpen: (connection: PeerConnection) => void) {
    this.#handle = handle;
    this.#destination = destination;
    this.#onOpen = onOpen;
  }

  succeed(owner: object): void {
    const destination = this.#destination;
    destination.opened++;
    destination.open++;
    destination.connectTime += monotonic() - this.#began;
    this.#onOpen(new PeerConnection(this.#handle, owner, destination));
  }

  fail(): void {
    this.#destination.failed++;
  }
}

/** By the socket that connects. */
const attempts = hiddenSlot<object, Attempt | undefined>();

/**
 * Note that a socket connects. Node restarts its timeout once it has, before the app hears of it. Standing before the request's callback
 * would show in the stack of Node's error, and costs a fifth of a short connection's CPU.
 */
export function noteAttempt(
  owner: object,
  handle: SocketHandle,
  destination: DestinationRecord,
  onOpen: (connection: PeerConnection) => void,
): void {
  // Of a name with several addresses, the one before has failed, or takes too long.
  attempts.get(owner)?.fail();
  attempts.set(owner, new Attempt(handle, destination, onOpen));
  expectConnections();
}

/** A socket ends. The error is that of connecting, if that has failed. */
export function endAttempt(owner: object, hasFailed: boolean): void {
  const attempt = attempts.get(owner);
  if (attempt === undefined) return;
  attempts.set(owner, undefined);
  if (hasFailed) attempt.fail();
}

/** A socket's timeout is restarted: it has just connected, if it was about to. */
export function noteProgress(socket: NetSocket): void {
  const attempt = attempts.get(socket);
  if (attempt === undefined || socket.connecting) return;
  attempts.set(socket, undefined);
  attempt.succeed(socket);
}
