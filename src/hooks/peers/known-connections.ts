import { monotonic } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type NetSocket, ownerOf, type SocketHandle } from '../../node/net.js';
import type { DestinationRecord } from '../../report/destination-record.js';
import { endConnection, type Opening, PeerConnection } from './connection.js';

/**
 * The connection of a socket that this process connects, or uses as a client: from connect(2), or its first use, to its end.
 *
 * Not in a hidden slot: that would give outgoing sockets another shape than accepted ones. All of Node's code that both run through, for each
 * read and write, would then look properties up in two ways. What has ended is deleted, so that it dies young.
 */
const outgoing = new WeakMap<object, PeerConnection>();

/** How many attempts to connect have no answer yet. */
let attempts = 0;

/** Of a connection that is accepted: on the TCP handle, which a TLSWrap has below it. */
const accepted = hiddenSlot<SocketHandle, PeerConnection>();

let onFirst: (() => void) | undefined;

/** Call back when the next connection is expected, or noted. Returns what calls it off. */
export function beforeFirst(callback: () => void): () => void {
  onFirst = callback;
  return () => {
    onFirst = undefined;
  };
}

function expectConnections(): void {
  const first = onFirst;
  if (first === undefined) return;
  onFirst = undefined;
  first();
}

/** Note an accepted connection that is watched. */
export function noteWatched(connection: PeerConnection): void {
  expectConnections();
  accepted.set(connection.handle, connection);
}

/** An attempt to connect is over. */
function giveUp(connection: PeerConnection, hasFailed: boolean): void {
  attempts--;
  connection.opening = undefined;
  connection.hasEnded = true;
  if (hasFailed && connection.destination !== undefined) connection.destination.failed++;
}

/**
 * Note that a socket connects. Node restarts its timeout once it has, before the app hears of it. Standing before the request's callback
 * would show in the stack of Node's error, and costs a fifth of a short connection's CPU.
 *
 * @param opening is told when the connection is open
 */
export function noteAttempt(
  owner: object,
  handle: SocketHandle,
  destination: DestinationRecord,
  opening: Opening,
): PeerConnection {
  const before = outgoing.get(owner);
  // Of a name with several addresses, the one before has failed, or takes too long.
  if (before?.opening !== undefined) giveUp(before, true);
  const connection = new PeerConnection(handle, owner, destination, opening);
  attempts++;
  outgoing.set(owner, connection);
  expectConnections();
  return connection;
}

/** A socket makes progress: it has just connected, if it was about to. */
export function noteProgress(socket: NetSocket): void {
  if (attempts === 0) return;
  const connection = outgoing.get(socket);
  if (connection === undefined || connection.opening === undefined || socket.connecting) return;
  const { opening, destination } = connection;
  attempts--;
  connection.opening = undefined;
  if (destination !== undefined) {
    destination.opened++;
    destination.open++;
    destination.connectTime += monotonic() - connection.began;
  }
  opening.open(connection);
}

/** The connection below a TLS socket that an app has put upon a socket of its own; or one that is accepted. */
function carrierOf(handle: SocketHandle): PeerConnection | undefined {
  const own = accepted.get(handle);
  const below = own === undefined ? handleBelow(handle) : undefined;
  if (below === undefined) return own;
  const owner = ownerOf(below);
  return accepted.get(below) ?? (typeof owner === 'object' && owner !== null ? outgoing.get(owner) : undefined);
}

/** The connection of a socket that this process uses as a client, be it upon another one, or one that we have not seen connect. */
export function clientConnection(socket: NetSocket, handle: SocketHandle): PeerConnection {
  const known = outgoing.get(socket) ?? carrierOf(handle);
  if (known !== undefined) return known;
  const connection = new PeerConnection(handle, socket);
  outgoing.set(socket, connection);
  return connection;
}

/**
 * A socket ends.
 *
 * @param isOfConnect the error is that of connecting
 * @returns the connection that it had open until now; undefined where there is none that we know
 */
export function noteEnd(socket: NetSocket, isOfConnect: boolean): PeerConnection | undefined {
  const own = outgoing.get(socket);
  // What we know of it ends with it: an app may keep the socket.
  if (own !== undefined) outgoing.delete(socket);
  if (own?.opening !== undefined) {
    giveUp(own, isOfConnect);
    return undefined;
  }
  const handle = socket._handle;
  const connection = own ?? (handle == null ? undefined : carrierOf(handle));
  if (connection === undefined || !connection.isOpen) return undefined;
  endConnection(connection);
  return connection;
}
