import { nextTick, setTimeout } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import { handleBelow, type NetSocket, type SocketHandle } from '../../node/net.js';
import { isNodesOwn } from '../../node/own-source.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { counters } from '../../report/counters.js';
import { allValues, type Hook, type HookContext } from '../context.js';

/** What is known of a connection whose reads are to be acknowledged at once. */
interface ArmedConnection {
  bytesRead: number;
  /** When the last read came in: what had been written by then. */
  bytesWritten: number;
  /** Whether to acknowledge that read will be decided when the app has had its say. */
  isPending: boolean;
  /** The last message that had come in whole. */
  completed: object | undefined;
  /** Reads since anything was written. */
  unanswered: number;
  /** Whether it is looked at now and then, and not at every read. */
  isInBulk: boolean;
}

const armed = hiddenSlot<SocketHandle, ArmedConnection>();

/** Have every read on this connection be acknowledged at once, unless an answer to it carries the ACK or is about to. */
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

/** Whether connections that are armed are looked after. */
export function isQuickAckInstalled(): boolean {
  return isInstalled;
}

function armedConnection(handle: SocketHandle): ArmedConnection | undefined {
  const own = armed.get(handle);
  if (own !== undefined) return own;
  // A TLSWrap reads from the socket's handle below it.
  const below = handleBelow(handle);
  return below === undefined ? undefined : armed.get(below);
}

/** Whether what was read has completed an HTTP request: its answer will bring the ACK along. */
function completesRequest(socket: NetSocket, connection: ArmedConnection): boolean {
  const incoming = socket.parser?.incoming;
  if (incoming?.complete !== true) return false;
  // A request that was complete before: what came now is the beginning of the next one.
  const isNew = connection.completed !== incoming;
  connection.completed = incoming;
  return isNew;
}

/** Decide about a read, at the end of the tick in which it came in. */
function decide(acknowledge: Acknowledge, socket: NetSocket, handle: SocketHandle, connection: ArmedConnection): void {
  connection.isPending = false;
  // Whatever was written since has brought the ACK along; one more packet for each request would only cost.
  const isAnswered = (handle.bytesWritten ?? 0) !== connection.bytesWritten;
  if (socket._handle === handle && !completesRequest(socket, connection) && !isAnswered) acknowledge(handle);
}

/**
 * Whether it is a write that restarts the timeout. That says nothing of reads: an http app that answers at once writes before
 * HTTP's parser tells that the request is complete, and Node restarts the timeout once more when it does.
 */
function isInWrite({ _writableState: { writing, sync } }: NetSocket): boolean {
  return writing && sync;
}

type Acknowledge = (handle: SocketHandle) => void;

/** As many reads without an answer are no request in pieces any more. */
const BULK_READS = 32;

/** A client that waits for an ACK is to wait no longer than twice that, instead of the 40 ms that the kernel delays it by. */
const LOOK_MS = 4;

/**
 * Connections on which much comes in at once, such as uploads. The kernel acknowledges every second segment of those by itself, and
 * one more ACK for every read would cost a fifth of the server's CPU and more. Its delay can only hold up a client that has stopped
 * sending.
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
      // The last of it, or the beginning of what comes next, may wait for its ACK.
      if (socket._handle === handle) this.#acknowledge(handle);
    }
    if (this.#members.size > 0) this.#lookLater();
  }
}

/** Node restarts a socket's timeout for every read and write; it was a read if more has come in. */
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
  // HTTP's parser takes what it reads before Node tells of it; anybody else is handed it after.
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
  const { prototype } = net().Socket;
  if (constant === undefined || !isNodesOwn(Reflect.get(prototype, '_unrefTimer'), 'Socket._unrefTimer'))
    return undefined;
  const on = Int32Array.of(1);
  let isUndone = false;
  const acknowledge = (handle: SocketHandle): void => {
    if (platform.set(handle, constant, on) === 0) counters.quickAcks++;
  };
  const bulk = new BulkConnections(acknowledge);
  const undo = replaceMethod<NetSocket['_unrefTimer']>(
    prototype,
    '_unrefTimer',
    (original) =>
      function (this: NetSocket) {
        const handle = this._handle;
        const connection = isUndone || handle === null || isInWrite(this) ? undefined : armedConnection(handle);
        if (handle !== null && connection !== undefined) onActivity(acknowledge, bulk, this, handle, connection);
        return original.call(this);
      },
  );
  isInstalled = true;
  return () => {
    isUndone = true;
    isInstalled = false;
    undo();
  };
}

/**
 * TCP_QUICKACK wears off with the first ACK, so it is set again whenever a connection has read something. Node tells of reads
 * only by restarting the socket's timeout: HTTP's parser takes them from the handle without any other JavaScript.
 */
export const quickAckHook: Hook = { name: 'quick-ack', install };
