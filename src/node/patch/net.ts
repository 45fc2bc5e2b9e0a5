import { hiddenSlot } from '../hidden-slot.js';
import { net } from '../modules.js';
import type {
  BoundHandle,
  ConnectionCallback,
  ConnectRequest,
  ListenHandle,
  NetServer,
  NetSocket,
  SocketHandle,
} from '../net.js';
import { defineProperty } from '../own-properties.js';
import { nodeSymbol } from '../symbols.js';
import { exchange, mutable, replaceMethod, type Undo } from './replace.js';

/**
 * Call `act`, and `onHandle` in the moment in which it gives the server its listening handle: lib/net.js binds the handle
 * before it assigns it and calls listen(2) after, all within `_listen2`.
 */
export function watchHandle<T>(server: NetServer, onHandle: (handle: ListenHandle) => void, act: () => T): T {
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
 * Call `act`, and `onHandle` in the moment in which it gives the socket its handle, which is before lib/net.js looks for where to
 * connect. A socket has its handle by way of an accessor of its prototype.
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

/**
 * Have `onServer` called with each net.Server that is made, of whatever class, and the options that it is made with: http, https, tls and
 * http2 call `net.Server` as it is exported, and `net.createServer` the class itself.
 */
export function watchServers(onServer: (server: object, options: unknown) => void): Undo {
  const exported: { createServer?: unknown; Server?: unknown } = net();
  const { Server } = exported;
  if (typeof exported.createServer !== 'function' || typeof Server !== 'function') return () => undefined;
  const note = (server: unknown, [options]: readonly unknown[]): void => {
    if (typeof server === 'object' && server !== null) onServer(server, options);
  };
  const undoCreate = replaceMethod<(...args: unknown[]) => unknown>(
    exported,
    'createServer',
    (original) =>
      function (this: unknown, ...args) {
        const server = original.apply(this, args);
        note(server, args);
        return server;
      },
  );
  // Not a Proxy, which shows where an app prints `net`: `showsProxies` in versions.ts.
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) {
      const made: unknown = Reflect.apply(Server, this, args);
      note(made ?? this, args);
      return made;
    }
    const server: object = Reflect.construct(Server, args, new.target === watched ? Server : new.target);
    note(server, args);
    return server;
  };
  Object.defineProperties(watched, Object.getOwnPropertyDescriptors(Server));
  Object.setPrototypeOf(watched, Object.getPrototypeOf(Server));
  exchange(exported, 'Server', Server, watched);
  exchange(Server.prototype, 'constructor', Server, watched);
  return () => {
    undoCreate();
    exchange(exported, 'Server', watched, Server);
    exchange(Server.prototype, 'constructor', watched, Server);
  };
}

/** Have Node leave Nagle's algorithm on for the connections of a server: http's default is to switch it off on each. */
export function keepNagle(server: NetServer): void {
  mutable(server).noDelay = false;
}

/**
 * Have `before` called with each connection of a listening handle, ahead of Node's own code, and `after` when that is done and
 * the app has been told of the connection.
 */
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

/** Have what comes to a listening handle of our own told to `receive`. */
export function receiveConnections(handle: BoundHandle, receive: ConnectionCallback): void {
  mutable(handle).onconnection = receive;
}

/** Have `after` called when a connection has been made, once Node has told the app. */
export function afterCompletion(request: ConnectRequest, after: () => void): void {
  const { oncomplete } = request;
  if (oncomplete === undefined) return;
  mutable(request).oncomplete = function (status, ...rest) {
    const result = oncomplete.call(this, status, ...rest);
    if (status === 0) after();
    return result;
  };
}

/**
 * Have the socket's timeout take the write that is queued now for one that has made progress, as it has: by sendfile, of which
 * libuv does not know. Node's own write of a chunk is mostly accepted in part, which counts as progress.
 */
export function noteWriteProgress(socket: NetSocket): void {
  const queueSize = nodeSymbol(socket, 'lastWriteQueueSize');
  if (queueSize === undefined) return;
  const queued: unknown = Reflect.get(socket, queueSize);
  if (typeof queued === 'number' && queued > 0) Reflect.set(socket, queueSize, queued + 1);
}

/** Bytes that went past a handle by sendfile: libuv counts only those that it wrote itself. */
export const fileBytes = hiddenSlot<SocketHandle, { bytes: number }>();

/** Add to `bytesWritten` of a handle what went past it: libuv counts only the bytes that it wrote itself. */
export function addBytesWritten(handle: SocketHandle, bytes: number): void {
  const extra = fileBytes.get(handle);
  if (extra !== undefined) {
    extra.bytes += bytes;
    return;
  }
  const added = { bytes };
  fileBytes.set(handle, added);
  const prototype: object = Object.getPrototypeOf(handle);
  defineProperty(handle, 'bytesWritten', {
    configurable: true,
    enumerable: false,
    get: () => (Reflect.get(prototype, 'bytesWritten', handle) as number) + added.bytes,
  });
}

/** Have `before` called in place of the first close of a handle; it calls `close` when the time has come. */
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

/** Keep a server from saying that it is closed (lib/net.js `_emitCloseIfDrained`). Returns what lets it. */
export function holdClose(server: NetServer): () => void {
  defineProperty(server, '_emitCloseIfDrained', {
    configurable: true,
    enumerable: false,
    value: () => undefined,
  });
  return () => {
    Reflect.deleteProperty(server, '_emitCloseIfDrained');
    server._emitCloseIfDrained();
  };
}
