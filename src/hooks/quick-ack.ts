import { isNodesOwn, type NetSocket, net, type SocketHandle } from '../node-internals.js';
import { counters } from '../report/counters.js';
import type { Hook, HookContext } from './hook.js';
import { replaceMethod, type Undo } from './patch.js';

/** What is known of a connection whose delayed ACKs are to be sent at once. */
interface ArmedConnection {
  bytesRead: number;
  /** The last message that had come in whole. */
  completed: object | undefined;
}

const armed = new WeakMap<SocketHandle, ArmedConnection>();

/** Have every read on this connection be acknowledged at once, unless an answer to it is about to carry the ACK. */
export function armQuickAck(handle: SocketHandle): void {
  armed.set(handle, { bytesRead: 0, completed: undefined });
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
  return handle._parent === undefined ? undefined : armed.get(handle._parent);
}

/**
 * Whether what was read just now should be acknowledged: there was something, and it did not complete an HTTP request. The
 * answer to a complete one brings the ACK along; to ask for one more packet for each would only cost.
 */
function awaitsMore(socket: NetSocket, connection: ArmedConnection, bytesRead: number): boolean {
  if (bytesRead === connection.bytesRead) return false;
  connection.bytesRead = bytesRead;
  const incoming = socket.parser?.incoming;
  if (incoming?.complete !== true) return true;
  // A request that was complete before: what came now is the beginning of the next one.
  const isOld = connection.completed === incoming;
  connection.completed = incoming;
  return isOld;
}

function install(context: HookContext): Undo | undefined {
  if (context.values.quickAck !== 'on') return undefined;
  const platform = context.platform();
  const constant = platform.constants.TCP_QUICKACK;
  const { prototype } = net().Socket;
  if (constant === undefined || !isNodesOwn(Reflect.get(prototype, '_unrefTimer'), 'Socket._unrefTimer'))
    return undefined;
  const on = Int32Array.of(1);
  let isUndone = false;
  const undo = replaceMethod<NetSocket['_unrefTimer']>(
    prototype,
    '_unrefTimer',
    (original) =>
      function (this: NetSocket) {
        const handle = this._handle;
        const connection = isUndone || handle === null ? undefined : armedConnection(handle);
        if (handle !== null && connection !== undefined && awaitsMore(this, connection, handle.bytesRead ?? 0)) {
          counters.quickAcks++;
          platform.set(handle, constant, on);
        }
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
