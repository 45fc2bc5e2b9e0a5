import type { ClusterMessage, HandleMessage } from '../cluster.js';
import type { BoundHandle, SocketHandle } from '../net.js';
import { isNodesOwn } from '../own-source.js';
import { standBefore } from './listeners.js';
import { replaceMethod, type Undo } from './replace.js';

function internalReceiver(
  channel: NodeJS.EventEmitter,
  isReceiver: (listener: Function) => boolean,
): Function | undefined {
  return channel.rawListeners('internalMessage').find(isReceiver);
}

/**
 * Stand before Node's own receiver of the messages between a cluster's worker and its primary (lib/internal/cluster/utils.js `internal`).
 *
 * @param child the worker's process, or in the worker this process
 * @param around gets a message, and `next`, which passes it on
 * @returns an undo; undefined where Node's code is not what we know
 */
export function aroundMessages(
  child: NodeJS.EventEmitter,
  around: (message: ClusterMessage, next: () => void) => void,
): Undo | undefined {
  const original = internalReceiver(child, ({ name }) => name === 'onInternalMessage');
  return standBefore<[ClusterMessage]>(child, 'internalMessage', original, (next, message) => around(message, next));
}

/**
 * Stand before Node's own receiver of handles that come with messages (lib/internal/child_process.js `setupChannel`).
 *
 * @param around gets a message, its handle, and `receive`, which passes both on
 * @returns an undo; undefined where there is no IPC channel, or Node's code is not what we know
 */
export function aroundHandles(
  channel: NodeJS.EventEmitter,
  around: (message: HandleMessage, handle: SocketHandle | undefined, receive: () => void) => void,
): Undo | undefined {
  const original = internalReceiver(channel, (listener) => isNodesOwn(listener, 'setupChannel/internalMessage'));
  return standBefore<[HandleMessage, SocketHandle | undefined]>(
    channel,
    'internalMessage',
    original,
    (next, message, handle) => around(message, handle, next),
  );
}

/**
 * Call `act`, which sends messages to the parent process, and keep back those that `isKept` picks.
 *
 * @returns the messages that were kept back
 */
export function keepMessages(isKept: (message: ClusterMessage) => boolean, act: () => void): readonly ClusterMessage[] {
  const kept: ClusterMessage[] = [];
  const undo = replaceMethod<(...args: unknown[]) => boolean>(
    process,
    'send',
    (original) =>
      function (this: unknown, ...args) {
        const message = args[0] as ClusterMessage;
        if (!isKept(message)) return original.apply(this, args);
        kept.push(message);
        return true;
      },
  );
  try {
    act();
  } finally {
    undo();
  }
  return kept;
}

/** Answer a query of this worker as its primary would, with a listener of the worker's own. */
export function answerQuery(query: ClusterMessage, key: string, handle: BoundHandle): void {
  const reply = { cmd: 'NODE_CLUSTER', ack: query.seq, errno: 0, key, data: query.data };
  (process as NodeJS.EventEmitter).emit('internalMessage', reply, handle);
}
