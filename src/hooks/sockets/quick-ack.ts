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
  /** The last HTTP message that was complete. */
  completed: object | undefined;
  /** Reads since the last write. */
  unanswered: number;
  /** One of {@link BulkConnections}. */
  isInBulk: boolean;
}

const armed = hiddenSlot<SocketHandle, ArmedConnection>();

/** Acknowledge every read of this connection at once, unless an answer carries the ACK, or is about to. */
export function armQuickAck(handle: SocketHandle): void {
  if (armed.get(handle) !== undefined) return;
  armed.set(handle, {
    bytesRead: 0,
    bytesWritten: 0,
    isPending: false,
    completed: undefined,
    unanswered: 0,
    isInBulk: false,
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

/** Whether a read has completed an HTTP request: the answer will carry the ACK. */
function completesRequest(socket: NetSocket, connection: ArmedConnection): boolean {
  const incoming = socket.parser?.incoming;
  if (incoming?.complete !== true) return false;
  // Complete before this read: it has begun the next request.
  const isNew = connection.completed !== incoming;
  connection.completed = incoming;
  return isNew;
}

/** Decide on a read, at the end of its tick. */
function decide(acknowledge: Acknowledge, socket: NetSocket, handle: SocketHandle, connection: ArmedConnection): void {
  connection.isPending = false;
  // A write since then has carried the ACK: one more packet would only cost.
  const isAnswered = (handle.bytesWritten ?? 0) !== connection.bytesWritten;
  if (socket._handle === handle && !completesRequest(socket, connection) && !isAnswered) acknowledge(handle);
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

/** Caps the ACK delay at 8 ms instead of the kernel's 40 ms. */
const LOOK_MS = 4;

/**
 * Connections with bulk data, such as uploads. The kernel acknowledges every second segment by itself. One more ACK for each read
 * would cost a fifth of the server's CPU and more. The kernel's delay matters only when the client has stopped sending: a timer looks
 * for that.
 */
class BulkConnections {
  readonly #acknowledge: Acknowledge;
  readonly #members = new Map<ArmedConnection, readonly [NetSocket, SocketHandle]>();

  constructor(acknowledge: Acknowledge) {
    this.#acknowledge = acknowledge;
  }

  add(socket: NetSocket, handle: SocketHandle, connection: ArmedConnection): void {
    connection.isInBulk = true;
    if (this.#members.size === 0) this.#lookLater();
    this.#members.set(connection, [socket, handle]);
  }

  #lookLater(): void {
    setTimeout(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    for (const [connection, [socket, handle]] of this.#members) {
      const { bytesRead = 0, bytesWritten = 0 } = handle;
      const goesOn = bytesRead !== connection.bytesRead && bytesWritten === connection.bytesWritten;
      connection.bytesRead = bytesRead;
      if (goesOn) continue;
      this.#members.delete(connection);
      connection.isInBulk = false;
      connection.unanswered = 0;
      // The last segment may wait for its ACK.
      if (socket._handle === handle) this.#acknowledge(handle);
    }
    if (this.#members.size > 0) this.#lookLater();
  }
}

/** Node has restarted the timeout of a socket, for a read or a write. It was a read if `bytesRead` has grown. */
function onActivity(
  acknowledge: Acknowledge,
  bulk: BulkConnections,
  socket: NetSocket,
  handle: SocketHandle,
  connection: ArmedConnection,
): void {
  if (connection.isInBulk) return;
  const bytesRead = handle.bytesRead ?? 0;
  if (bytesRead === connection.bytesRead) return;
  connection.bytesRead = bytesRead;
  // HTTP's parser sees a read before Node restarts the timeout; any other consumer sees it after.
  if (connection.isPending || completesRequest(socket, connection)) return;
  const bytesWritten = handle.bytesWritten ?? 0;
  connection.unanswered = bytesWritten === connection.bytesWritten ? connection.unanswered + 1 : 1;
  connection.bytesWritten = bytesWritten;
  if (connection.unanswered > BULK_READS) return bulk.add(socket, handle, connection);
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
  const bulk = new BulkConnections(acknowledge);
  const undo = replaceOwn(
    'Socket._unrefTimer',
    (original) =>
      function (this: NetSocket) {
        const handle = this._handle;
        const connection = handle === null || isInWrite(this) ? undefined : armedConnection(handle);
        if (handle !== null && connection !== undefined) onActivity(acknowledge, bulk, this, handle, connection);
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
