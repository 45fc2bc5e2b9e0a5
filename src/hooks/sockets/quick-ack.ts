import { nextTick, setTimeout } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { handleBelow, type NetSocket, type SocketHandle } from '../../node/net.js';
import { replaceOwn } from '../../node/patch/own-methods.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import { counters } from '../../report/counters.js';
import { allValues, type Hook, type HookContext } from '../context.js';

/** A connection whose reads are to be acknowledged at once. */
interface ArmedConnection {
  bytesRead: number;
  /** Bytes written before the last read. */
  bytesWritten: number;
  /** The last read is decided on at the end of the tick, when the app has seen it. */
  isPending: boolean;
  /** Reads since the last write. */
  unanswered: number;
  /** The last read was acknowledged by us. */
  isAcknowledged: boolean;
  /** ACKs of ours in a row that a later answer would have carried. */
  needless: number;
  /** One of {@link PatientConnections}. */
  isPatient: boolean;
}

const armed = hiddenSlot<SocketHandle, ArmedConnection>();

/** Acknowledge every read of this connection at once, unless an answer carries the ACK, or is about to. */
export function armQuickAck(handle: SocketHandle): void {
  if (armed.get(handle) !== undefined) return;
  armed.set(handle, {
    bytesRead: 0,
    bytesWritten: 0,
    isPending: false,
    unanswered: 0,
    isAcknowledged: false,
    needless: 0,
    isPatient: false,
  });
}

let isInstalled = false;

/** Whether armed connections are watched. */
export function isQuickAckInstalled(): boolean {
  return isInstalled;
}

function armedConnection(handle: SocketHandle): ArmedConnection | undefined {
  const own = armed.get(handle);
  if (own !== undefined) return own;
  // A TLSWrap reads from the TCP handle below it.
  const below = handleBelow(handle);
  return below === undefined ? undefined : armed.get(below);
}

/** HTTP messages that were seen complete. A connection that remembered its last one would hold all that the app keeps with it. */
const completed = hiddenSlot<object, true>();

/** Whether a read has completed an HTTP request: the answer will carry the ACK. */
function completesRequest(socket: NetSocket): boolean {
  const incoming = socket.parser?.incoming;
  if (incoming?.complete !== true) return false;
  // Complete before this read: it has begun the next request.
  if (completed.get(incoming) === true) return false;
  completed.set(incoming, true);
  return true;
}

/** Decide on a read, at the end of its tick. */
function decide(acknowledge: Acknowledge, socket: NetSocket, handle: SocketHandle, connection: ArmedConnection): void {
  connection.isPending = false;
  // A write since then has carried the ACK: one more packet would only cost.
  const isAnswered = (handle.bytesWritten ?? 0) !== connection.bytesWritten;
  if (socket._handle !== handle || completesRequest(socket) || isAnswered) return;
  connection.isAcknowledged = true;
  acknowledge(handle);
}

/**
 * Whether the timeout is restarted by a write, which says nothing of reads. An http app that answers at once writes before the parser
 * marks the request as complete; Node then restarts the timeout once more.
 */
function isInWrite({ _writableState: { writing, sync } }: NetSocket): boolean {
  return writing && sync;
}

type Acknowledge = (handle: SocketHandle) => void;

/** More reads than this without an answer are bulk data, not a request in pieces. */
const BULK_READS = 32;

/** More ACKs than this in a row that were needless: the app answers each message, but not at once. */
const NEEDLESS_ACKS = 8;

/** Caps the ACK delay at 8 ms instead of the kernel's 40 ms. */
const LOOK_MS = 4;

/**
 * Connections whose ACKs may wait for some milliseconds: a timer looks whether they were sent.
 *
 * - Bulk data, such as uploads: the kernel acknowledges every second segment by itself. One more ACK for each read would cost a fifth of
 *   the server's CPU and more. The kernel's delay matters only when the client has stopped sending.
 * - Messages that are answered one by one, a little later, as a proxy of WebSockets does: the answer carries the ACK. One of our own for each
 *   message would cost a sixth of the CPU.
 */
class PatientConnections {
  readonly #acknowledge: Acknowledge;
  readonly #members = new Map<ArmedConnection, readonly [NetSocket, SocketHandle]>();

  constructor(acknowledge: Acknowledge) {
    this.#acknowledge = acknowledge;
  }

  add(socket: NetSocket, handle: SocketHandle, connection: ArmedConnection): void {
    connection.isPatient = true;
    if (this.#members.size === 0) this.#lookLater();
    this.#members.set(connection, [socket, handle]);
  }

  #lookLater(): void {
    setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const [connection, [socket, handle]] of this.#members) {
      const { bytesRead = 0, bytesWritten = 0 } = handle;
      const hasRead = bytesRead !== connection.bytesRead;
      const hasWritten = bytesWritten !== connection.bytesWritten;
      connection.bytesRead = bytesRead;
      if (hasRead && !hasWritten) continue;
      this.#members.delete(connection);
      connection.isPatient = false;
      connection.unanswered = 0;
      // A write after the last read has carried the ACK. Where both came, nobody knows which was the last.
      if (socket._handle === handle && (hasRead || !hasWritten)) this.#acknowledge(handle);
    }
    if (this.#members.size > 0) this.#lookLater();
  }
}

/** What became of the read before this one: was there a write in between? */
function noteAnswer(connection: ArmedConnection, isAnswered: boolean): void {
  // A message in pieces: its first piece needs its ACK at once.
  if (!isAnswered) connection.needless = 0;
  else if (connection.isAcknowledged) connection.needless++;
  connection.isAcknowledged = false;
  connection.unanswered = isAnswered ? 1 : connection.unanswered + 1;
}

/** Node has restarted the timeout of a socket, for a read or a write. It was a read if `bytesRead` has grown. */
function onActivity(
  acknowledge: Acknowledge,
  patient: PatientConnections,
  socket: NetSocket,
  handle: SocketHandle,
  connection: ArmedConnection,
): void {
  if (connection.isPatient) return;
  const bytesRead = handle.bytesRead ?? 0;
  if (bytesRead === connection.bytesRead) return;
  connection.bytesRead = bytesRead;
  // HTTP's parser sees a read before Node restarts the timeout; any other consumer sees it after.
  if (connection.isPending || completesRequest(socket)) return;
  const bytesWritten = handle.bytesWritten ?? 0;
  noteAnswer(connection, bytesWritten !== connection.bytesWritten);
  connection.bytesWritten = bytesWritten;
  const mayWait = connection.unanswered > BULK_READS || connection.needless > NEEDLESS_ACKS;
  if (mayWait) return patient.add(socket, handle, connection);
  connection.isPending = true;
  nextTick(decide, acknowledge, socket, handle, connection);
}

function install(context: HookContext): Undo | undefined {
  if (!allValues(context).some((values) => values.quickAck === 'on')) return undefined;
  const platform = context.platform();
  const constant = platform.constants.TCP_QUICKACK;
  if (constant === undefined) return undefined;
  const on = Int32Array.of(1);
  const acknowledge = (handle: SocketHandle): void => {
    if (platform.set(handle, constant, on) === 0) counters.quickAcks++;
  };
  const patient = new PatientConnections(acknowledge);
  const undo = replaceOwn(
    'Socket._unrefTimer',
    (original) =>
      function (this: NetSocket) {
        const handle = this._handle;
        const connection = handle == null || isInWrite(this) ? undefined : armedConnection(handle);
        if (handle != null && connection !== undefined) onActivity(acknowledge, patient, this, handle, connection);
        return original.call(this);
      },
  );
  if (undo === undefined) return undefined;
  isInstalled = true;
  const noteEnd = (): void => {
    isInstalled = false;
  };
  return undoAll([undo, noteEnd]);
}

/**
 * TCP_QUICKACK lasts until the next ACK (tcp(7)), so it is set again after each read. Node shows reads only by restarting the
 * socket's timeout: HTTP's parser reads from the handle without any other JavaScript.
 */
export const quickAckHook: Hook = { name: 'quick-ack', install };
