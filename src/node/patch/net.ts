import { nextTick } from '../clock.js';
import { hiddenSlot } from '../hidden-slot.js';
import { net } from '../modules.js';
import {
  type BoundHandle,
  type ConnectionCallback,
  type ConnectRequest,
  type ListenHandle,
  listeningPrototypes,
  type NetServer,
  type NetSocket,
  type OnComplete,
  type SocketHandle,
} from '../net.js';
import { defineProperty } from '../own-properties.js';
import { nodeSymbol } from '../symbols.js';
import { mutable, replaceMethod, type Undo, undoAll } from './replace.js';
import { type OnServer, watchServerClass } from './server-class.js';

/**
 * Call `act`, which has a server listen, and `onHandle` when the server's new handle is bound, ahead of listen(2): lib/net.js
 * `setupListenHandle` binds the handle, assigns it, and calls its `listen`.
 */
export function watchHandle<T>(server: NetServer, onHandle: (handle: ListenHandle) => void, act: () => T): T {
  if (server._handle) return act();
  const prototypes = listeningPrototypes();
  if (prototypes === undefined) return watchAssignment(server, onHandle, act);
  const undo = undoAll(prototypes.map((prototype) => beforeListen(prototype, server, onHandle)));
  try {
    return act();
  } finally {
    undo();
  }
}

function beforeListen(prototype: BoundHandle, server: NetServer, onHandle: (handle: ListenHandle) => void): Undo {
  let isOver = false;
  return replaceMethod<(this: BoundHandle, backlog: number) => number>(
    prototype,
    'listen',
    (original) =>
      function (this: BoundHandle, ...args) {
        if (this === server._handle && !isOver) {
          isOver = true;
          onHandle(this);
        }
        return original.apply(this, args);
      },
  );
}

/** The same where handles cannot be watched. V8 is slow with the server from then on: it has turned its properties into a dictionary. */
function watchAssignment<T>(server: NetServer, onHandle: (handle: ListenHandle) => void, act: () => T): T {
  const own = Object.getOwnPropertyDescriptor(server, '_handle');
  if (own?.configurable !== true || !Object.hasOwn(own, 'value')) return act();
  let handle = server._handle;
  defineProperty(server, '_handle', {
    configurable: true,
    enumerable: own.enumerable ?? true,
    get: () => handle,
    set: (assigned: ListenHandle | null) => {
      handle = assigned;
      if (assigned !== null) onHandle(assigned);
    },
  });
  try {
    return act();
  } finally {
    defineProperty(server, '_handle', { ...own, value: handle });
  }
}

/**
 * Call `act`, and `onHandle` at the moment when the socket gets its handle, before lib/net.js looks up where to connect. A socket's
 * `_handle` is an accessor of its prototype. V8 is slow with the socket from then on: it has turned its properties into a dictionary.
 */
export function watchSocketHandle<T>(socket: NetSocket, onHandle: (handle: SocketHandle) => void, act: () => T): T {
  if (Object.hasOwn(socket, '_handle') || !Object.isExtensible(socket)) return act();
  const prototype: object = Object.getPrototypeOf(socket);
  defineProperty(socket, '_handle', {
    configurable: true,
    enumerable: false,
    get: () => Reflect.get(prototype, '_handle', socket),
    set: (assigned: SocketHandle | null) => {
      Reflect.deleteProperty(socket, '_handle');
      mutable(socket)._handle = assigned;
      if (assigned !== null) onHandle(assigned);
    },
  });
  try {
    return act();
  } finally {
    Reflect.deleteProperty(socket, '_handle');
  }
}

/** Call `onServer` with each net.Server that is made, of any class, and its options: http, https, tls and http2 call `net.Server`. */
export function watchServers(onServer: OnServer): Undo {
  return watchServerClass(net(), onServer);
}

/** Call `onConnect` when the first socket is about to connect, by whatever way: not all of them are announced. */
export function watchConnect(onConnect: () => void): Undo {
  const undo = replaceMethod<NetSocket['connect']>(
    net().Socket.prototype,
    'connect',
    (original) =>
      function (this: NetSocket, ...args) {
        const { prototype } = net().Socket;
        // Somebody who has wrapped this must not be called twice. The next connection is seen.
        const isWrapped = prototype.connect !== replacement;
        undo();
        onConnect();
        return (isWrapped ? original : (prototype.connect as NetSocket['connect'])).apply(this, args);
      },
  );
  const replacement: unknown = net().Socket.prototype.connect;
  return undo;
}

/** Keep Node from setting NODELAY on each connection of a server, which is http's default. */
export function keepNagle(server: NetServer): void {
  mutable(server).noDelay = false;
}

/** Call `before` with each connection of a listening handle, before Node's own code, and `after` when the app has got the connection. */
export function aroundConnection(
  handle: ListenHandle,
  before: (client: SocketHandle) => void,
  after: (client: SocketHandle) => void,
): void {
  const original = handle.onconnection;
  if (original === undefined) return;
  const onconnection: ConnectionCallback = function onconnection(error, client) {
    if (error || !client) return original.call(this, error, client);
    before(client);
    const result = original.call(this, error, client);
    after(client);
    return result;
  };
  mutable(handle).onconnection = onconnection;
}

/** Call `receive` with each connection of a listening handle of our own. */
export function receiveConnections(handle: BoundHandle, receive: ConnectionCallback): void {
  mutable(handle).onconnection = receive;
}

/**
 * Call `before` when the system has answered connect(2), with Node's own callback. What it returns is called in its place.
 *
 * Node asks the request for the callback at that moment, and for nothing else. So no frame of ours is in the stack of the error that Node
 * makes of a failure.
 */
export function atCompletion(request: ConnectRequest, before: (oncomplete: OnComplete) => OnComplete): void {
  const { oncomplete } = request;
  if (oncomplete === undefined) return;
  const settle = (value: OnComplete | undefined): void => {
    defineProperty(request, 'oncomplete', { configurable: true, enumerable: true, writable: true, value });
  };
  defineProperty(request, 'oncomplete', {
    configurable: true,
    enumerable: true,
    get() {
      // The request outlives the connection's first moments, and would keep all that we know of it.
      settle(oncomplete);
      return before(oncomplete);
    },
    // An attempt that took too long (lib/net.js `internalConnectMultipleTimeout`).
    set: settle,
  });
}

/**
 * Have the socket's timeout see that the queued write has made progress: by sendfile(2), of which libuv does not know. The timeout
 * compares the queue's size with that of its last look (lib/net.js `_onTimeout`).
 */
export function noteWriteProgress(socket: NetSocket): void {
  const queueSize = nodeSymbol(socket, 'lastWriteQueueSize');
  if (queueSize === undefined) return;
  const queued: unknown = Reflect.get(socket, queueSize);
  if (typeof queued === 'number' && queued > 0) Reflect.set(socket, queueSize, queued + 1);
}

/** Bytes that were sent by sendfile(2) on a handle. libuv counts only those that it has written itself. */
export const fileBytes = hiddenSlot<SocketHandle, { bytes: number }>();

interface ByteCount {
  bytes: number;
}

/** Bytes past libuv, by the property of the handle that shows them. */
const addedBytes = {
  bytesRead: hiddenSlot<SocketHandle, ByteCount>(),
  bytesWritten: hiddenSlot<SocketHandle, ByteCount>(),
};

function addBytes(handle: SocketHandle, property: keyof typeof addedBytes, bytes: number): void {
  const known = addedBytes[property].get(handle);
  if (known !== undefined) {
    known.bytes += bytes;
    return;
  }
  const added = { bytes };
  addedBytes[property].set(handle, added);
  const prototype: object = Object.getPrototypeOf(handle);
  defineProperty(handle, property, {
    configurable: true,
    enumerable: false,
    get: () => (Reflect.get(prototype, property, handle) as number) + added.bytes,
  });
}

/** Add bytes that were sent by sendfile(2) to the `bytesWritten` of a handle. */
export function addBytesWritten(handle: SocketHandle, bytes: number): void {
  const extra = fileBytes.get(handle);
  if (extra === undefined) fileBytes.set(handle, { bytes });
  else extra.bytes += bytes;
  addBytes(handle, 'bytesWritten', bytes);
}

/** Add bytes that were spliced into a handle's socket to its `bytesWritten`. */
export function addBytesSplicedIn(handle: SocketHandle, bytes: number): void {
  addBytes(handle, 'bytesWritten', bytes);
}

/** Add bytes that were spliced out of a handle's socket to its `bytesRead`. */
export function addBytesSplicedOut(handle: SocketHandle, bytes: number): void {
  addBytes(handle, 'bytesRead', bytes);
}

/** Have a handle stop reading, as Node does for back-pressure (lib/internal/stream_base_commons.js `onStreamRead`). */
export function stopReading(handle: SocketHandle): void {
  if (handle.reading !== true) return;
  mutable(handle).reading = false;
  handle.readStop?.();
}

/** Call `before` in place of the first close() of a handle. It calls `close` when the handle may be closed. */
export function beforeClose(listener: ListenHandle, before: (close: () => void) => void): void {
  const handle = listener as BoundHandle;
  const own = Object.getOwnPropertyDescriptor(handle, 'close');
  const original = handle.close;
  const close = function close(this: BoundHandle, ...args: []): void {
    if (own === undefined) Reflect.deleteProperty(handle, 'close');
    else defineProperty(handle, 'close', own);
    before(() => original.apply(this, args));
  };
  defineProperty(handle, 'close', {
    configurable: true,
    enumerable: own?.enumerable ?? false,
    writable: true,
    value: close,
  });
}

/** Whether the 'close' event of a server is held back, see {@link holdClose}. */
export function isCloseHeld(server: NetServer): boolean {
  return Object.hasOwn(server, '_emitCloseIfDrained');
}

/** Hold back the 'close' event of a server (lib/net.js `_emitCloseIfDrained`). Returns a function that releases it. */
export function holdClose(server: NetServer): () => void {
  // Node emits the event for each close() of a server without connections. What ends later has come while the event is held back.
  let emitted = 0;
  let isNow = true;
  nextTick(() => {
    isNow = false;
  });
  defineProperty(server, '_emitCloseIfDrained', {
    configurable: true,
    enumerable: false,
    value: () => {
      if (isNow && server._handle === null && server._connections === 0) emitted++;
    },
  });
  return () => {
    Reflect.deleteProperty(server, '_emitCloseIfDrained');
    for (let count = Math.max(emitted, 1); count > 0; count--) server._emitCloseIfDrained();
  };
}

/** What servers that were closed by us answer to `address()`. */
const addresses = new WeakMap<object, ReturnType<NetServer['address']>>();

let keepsAddresses = false;

/** Have a server that we are about to close tell its address as before: its app has not closed it, and may still ask. */
export function keepAddress(server: NetServer): void {
  const address = server.address();
  if (address === null) return;
  addresses.set(server, address);
  if (keepsAddresses) return;
  keepsAddresses = true;
  replaceMethod<(this: NetServer) => ReturnType<NetServer['address']>>(
    net().Server.prototype,
    'address',
    (original) =>
      function (this: NetServer) {
        return original.call(this) ?? addresses.get(this) ?? null;
      },
  );
}
