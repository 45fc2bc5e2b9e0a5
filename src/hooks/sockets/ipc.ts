import { nextTick } from '../../node/clock.js';
import { type HandleMessage, pendingHandles } from '../../node/cluster.js';
import { datagramHandle } from '../../node/dgram.js';
import { net } from '../../node/modules.js';
import { asNetServer, asNetSocket, type SocketHandle } from '../../node/net.js';
import { aroundHandles } from '../../node/patch/cluster.js';
import type { Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { noteChild } from '../shared-port/holders.js';
import { tuneBoundDatagram } from './datagram.js';
import { tuneListening } from './listener.js';
import { type RemoteListeners, tuneReceivedSocket } from './received-socket.js';

const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');

/** Node publishes each ChildProcess here when it is made, before it is spawned (lib/internal/child_process.js). */
const CHILD_CHANNEL = 'child_process';

/** Is told of each socket that comes by a channel. */
type Receive = (listeners: RemoteListeners, message: HandleMessage, handle: SocketHandle) => void;

/** The process in a message of {@link CHILD_CHANNEL}. */
function childOf(message: unknown): NodeJS.EventEmitter | undefined {
  const child: unknown = typeof message === 'object' && message !== null && Reflect.get(message, 'process');
  return child instanceof process.getBuiltinModule('node:events').EventEmitter ? child : undefined;
}

/** @returns an undo; undefined if the process has no IPC channel */
function watchChannel(channel: NodeJS.EventEmitter, receive: Receive, listeners: RemoteListeners): Undo | undefined {
  return aroundHandles(channel, (message, handle, next) => {
    if (handle !== undefined) receive(listeners, message, handle);
    next();
  });
}

/** Tune a socket or a server that Node has received already, and that waits for the app to listen for messages. */
function tunePending(context: HookContext, receive: Receive, listeners: RemoteListeners, pending: unknown): void {
  if (typeof pending !== 'object' || pending === null) return;
  const datagram = datagramHandle(pending);
  if (datagram !== undefined) tuneBoundDatagram(context, datagram);
  else if (pending instanceof net().Server) {
    const { _handle: handle } = asNetServer(pending);
    if (handle !== null) tuneListening(context, asNetServer(pending), handle);
  } else if (pending instanceof net().Socket) {
    const { _handle: handle } = asNetSocket(pending);
    if (handle !== null) receive(listeners, { type: 'net.Socket' }, handle);
  }
}

function install(context: HookContext): Undo {
  let receive: Receive = (listeners, message, handle) => tuneReceivedSocket(context, listeners, message, handle);
  const receiveNow: Receive = (...args) => receive(...args);
  const listenersOfParent: RemoteListeners = new Map();
  // --import loads the preload in several turns of the event loop, while messages come in.
  for (const pending of pendingHandles()) tunePending(context, receive, listenersOfParent, pending);
  const undoParent = watchChannel(process, receiveNow, listenersOfParent);
  const onChild = (message: unknown): void => {
    const child = childOf(message);
    noteChild();
    // Its channel is there once it is spawned, in this tick. Nothing can arrive before the next turn of the event loop.
    if (child !== undefined) nextTick(watchChannel, child, receiveNow, new Map());
  };
  subscribe(CHILD_CHANNEL, onChild);
  return () => {
    // Channels of children stay watched, as nobody keeps a list of them: from now on nothing is done about what they send.
    receive = () => undefined;
    unsubscribe(CHILD_CHANNEL, onChild);
    undoParent?.();
  };
}

/** Sockets that the parent process, or a child, sends by `process.send()`. Servers that are sent listen anew: see listener.ts. */
export const ipcHook: Hook = { name: 'ipc', install };
