import { nextTick } from '../../node/clock.js';
import { pendingHandles } from '../../node/cluster.js';
import { datagramHandle } from '../../node/dgram.js';
import { net } from '../../node/modules.js';
import { asNetServer, asNetSocket } from '../../node/net.js';
import { aroundHandles } from '../../node/patch/cluster.js';
import type { Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { tuneBound } from './datagram.js';
import { tuneListening } from './listener.js';
import { type Sources, tuneArriving } from './received-socket.js';

const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');

/** Node publishes each ChildProcess here when it is made, before it is spawned (lib/internal/child_process.js). */
const CHILD_CHANNEL = 'child_process';

function watchChannel(
  context: HookContext,
  state: { isUndone: boolean },
  channel: NodeJS.EventEmitter,
  sources: Sources,
): Undo {
  const undo = aroundHandles(channel, (message, handle, receive) => {
    if (handle !== undefined && !state.isUndone) tuneArriving(context, sources, message, handle);
    receive();
  });
  return () => undo?.();
}

/** The process in a message of Node's. */
function childOf(message: unknown): NodeJS.EventEmitter | undefined {
  const child: unknown = typeof message === 'object' && message !== null && Reflect.get(message, 'process');
  return child instanceof process.getBuiltinModule('node:events').EventEmitter ? child : undefined;
}

function tunePending(context: HookContext, sources: Sources, pending: unknown): void {
  if (typeof pending !== 'object' || pending === null) return;
  const datagram = datagramHandle(pending);
  if (datagram !== undefined) tuneBound(context, datagram);
  else if (pending instanceof net().Server) {
    const { _handle: handle } = asNetServer(pending);
    if (handle !== null) tuneListening(context, asNetServer(pending), handle);
  } else if (pending instanceof net().Socket) {
    const { _handle: handle } = asNetSocket(pending);
    if (handle !== null) tuneArriving(context, sources, { type: 'net.Socket' }, handle);
  }
}

function install(context: HookContext): Undo {
  const state = { isUndone: false };
  const fromParent: Sources = new Map();
  // By --import, the preload takes several turns of the event loop to load, in which all kinds of things have come.
  for (const pending of pendingHandles()) tunePending(context, fromParent, pending);
  const undo = watchChannel(context, state, process, fromParent);
  const onChild = (message: unknown): void => {
    const child = childOf(message);
    // Nothing arrives before the next turn of the event loop; by then it has been spawned, if it has a channel at all.
    if (child !== undefined) nextTick(watchChannel, context, state, child, new Map());
  };
  subscribe(CHILD_CHANNEL, onChild);
  return () => {
    state.isUndone = true;
    unsubscribe(CHILD_CHANNEL, onChild);
    undo();
  };
}

/** Sockets that the parent process, or a child, sends by `process.send()`. Servers that are sent listen anew; see listener.ts. */
export const ipcHook: Hook = { name: 'ipc', install };
