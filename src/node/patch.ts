/**
 * The only file that assigns to Node's objects. A replacement looks like what it replaces (name, length, attributes) and can
 * be undone.
 */

import {
  type BoundHandle,
  type ClusterMessage,
  type CommonModule,
  type ConnectionCallback,
  type ConnectRequest,
  type FileReadStream,
  type HandleMessage,
  type HttpMessage,
  isNodesOwn,
  type ListenHandle,
  moduleLoadList,
  modulePrototype,
  type NetServer,
  type NetSocket,
  net,
  type SignalListener,
  type SocketHandle,
  signalListener,
  standsFor,
} from './internals.js';
import { defineProperty } from './own-properties.js';
import { fileBytes } from './file-bytes.js';

export type Undo = () => void;

type Method = (this: never, ...args: never[]) => unknown;

/** Elsewhere the properties of Node's objects are readonly to the compiler. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function mutable<T extends object>(object: T): Mutable<T> {
  return object;
}

/** A name and a number of parameters as those of what is replaced. */
function looksLike(replacement: Function, original: Function): void {
  for (const property of ['name', 'length'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(original, property);
    if (descriptor !== undefined) defineProperty(replacement, property, descriptor);
  }
}

/**
 * Replace a method of one of Node's objects.
 *
 * @param make is given the original and answers with the replacement
 * @returns an undo. It restores what was there, unless somebody else has replaced the method since: then it can only be left
 *   in place, and `onOutlived` is called, so that it passes everything on to the original.
 */
export function replaceMethod<F extends Method>(
  object: object,
  name: string,
  make: (original: F) => F,
  onOutlived?: () => void,
): Undo {
  const holder = object as Record<string, F>;
  const own = Object.getOwnPropertyDescriptor(object, name);
  const original = holder[name];
  if (typeof original !== 'function') throw new TypeError(`${name} is not a method`);
  const replacement = make(original);
  looksLike(replacement, original);
  standsFor(replacement, original);
  const attributes = own ?? { writable: true, enumerable: true, configurable: true };
  defineProperty(object, name, { ...attributes, value: replacement });
  return () => {
    if (holder[name] !== replacement) onOutlived?.();
    else if (own === undefined) delete holder[name];
    else defineProperty(object, name, own);
  };
}

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

/** Have `after` called when the code of one module has run and nobody has got what it exports. */
function afterCompile(module: CommonModule, after: () => void): void {
  const original = module._compile;
  const compile: CommonModule['_compile'] = (...args) => {
    // A transpiler may have put a function of its own in place of this one, which it calls.
    if (module._compile === compile) Reflect.deleteProperty(module, '_compile');
    const result = original.apply(module, args);
    after();
    return result;
  };
  looksLike(compile, original);
  defineProperty(module, '_compile', { configurable: true, enumerable: true, writable: true, value: compile });
}

/**
 * Have `onExports` see, and perhaps replace, what some modules of CommonJS export before anybody gets it, be they required or
 * imported.
 *
 * Each module is met where Node assigns its `paths`, which nothing has before. What is called while modules load is left as it
 * is: it stands in the stack of every error that there is meanwhile, and a wrapper or an accessor would show.
 *
 * @returns an undo, after which whoever has got a replacement keeps it; undefined where somebody else stands in that place
 */
export function watchExports(
  isWatched: (file: string) => boolean,
  onExports: (exports: unknown) => unknown,
): Undo | undefined {
  const prototype = modulePrototype();
  if ('paths' in prototype) return undefined;
  const replaced: (() => void)[] = [];
  // Not called `module`: in the bundle, an assignment to its exports would look like a module of CommonJS.
  const watch = (loaded: CommonModule): void => {
    const { exports } = loaded;
    const replacement = onExports(exports);
    loaded.exports = replacement;
    replaced.push(() => {
      if (loaded.exports === replacement) loaded.exports = exports;
    });
  };
  const set = function (this: CommonModule, value: unknown): void {
    defineProperty(this, 'paths', { configurable: true, enumerable: true, writable: true, value });
    if (typeof this.filename === 'string' && isWatched(this.filename)) afterCompile(this, () => watch(this));
  };
  defineProperty(prototype, 'paths', { configurable: true, enumerable: false, set });
  return () => {
    for (const restore of replaced) restore();
    if (Object.getOwnPropertyDescriptor(prototype, 'paths')?.set === set) Reflect.deleteProperty(prototype, 'paths');
  };
}

/**
 * Have `then` called when Node has loaded a module of its own, ahead of whoever has asked for it. Node then pushes the module's name to
 * `process.moduleLoadList` (lib/internal/bootstrap/realm.js `compileForInternalLoader`), which looks for a setter in the list's prototype.
 *
 * @param entry of that list
 * @returns an undo
 */
export function afterBuiltin(entry: string, then: () => void): Undo {
  const list = moduleLoadList();
  if (list === undefined || Object.getPrototypeOf(list) !== Array.prototype) return () => undefined;
  // With an object of its own, so that the list is an Array to `instanceof`, and to util.inspect().
  const watched = new Proxy(Object.create(Array.prototype), {
    set(target, key, value, receiver) {
      const isSet = Reflect.set(target, key, value, receiver);
      if (value === entry) {
        undo();
        then();
      }
      return isSet;
    },
  });
  const undo = (): void => {
    if (Object.getPrototypeOf(list) === watched) Object.setPrototypeOf(list, Array.prototype);
  };
  Object.setPrototypeOf(list, watched);
  return undo;
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
  // Not a Proxy, which Node 26 shows for one where `net` is printed.
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

/** Put a value in the place of another, if that is there. */
function exchange(object: object, name: string, from: unknown, to: unknown): void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  if (own?.value === from) defineProperty(object, name, { ...own, value: to });
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

/** Take a call of `_read` back: Readable calls it again when somebody wants data. */
export function postponeRead(stream: FileReadStream): void {
  mutable(stream._readableState).reading = false;
}

/** Have a stream's position move on as if it had read. */
export function moveOn(stream: FileReadStream, count: number): void {
  const { pos, bytesRead } = stream;
  // From now on reads must say where: neither sendfile nor pread moves the descriptor's own position.
  mutable(stream).pos = (pos ?? bytesRead) + count;
  mutable(stream).bytesRead = bytesRead + count;
}

/** Have a stream take a descriptor for its own, or have none: then its own code has nothing left to close. */
export function setDescriptor(stream: FileReadStream, fd: number | null): void {
  mutable(stream).fd = fd;
}

/** Have Node end the connection when the response is through, as after one that says `Connection: close`. */
export function endConnectionAfter(response: HttpMessage): void {
  mutable(response)._last = true;
}

/** lib/net.js `kLastWriteQueueSize`: what was queued by the last write, as far as the socket's timeout knows. */
let queueSizeSymbol: symbol | undefined;

/**
 * Have the socket's timeout take the write that is queued now for one that has made progress, as it has: by sendfile, of which
 * libuv does not know. Node's own write of a chunk is mostly accepted in part, which counts as progress.
 */
export function noteWriteProgress(socket: NetSocket): void {
  queueSizeSymbol ??= Object.getOwnPropertySymbols(socket).find(
    (symbol) => symbol.description === 'lastWriteQueueSize',
  );
  if (queueSizeSymbol === undefined) return;
  const queued: unknown = Reflect.get(socket, queueSizeSymbol);
  if (typeof queued === 'number' && queued > 0) Reflect.set(socket, queueSizeSymbol, queued + 1);
}

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

/**
 * Put one listener of an event in the place of another (lib/events.js `_events`), which tells nobody of a listener.
 *
 * @returns whether it was there
 */
function swapListener(emitter: object, event: string, from: Function, to: Function): boolean {
  const { _events: events } = emitter as { _events?: Record<string, unknown> };
  const listeners = events?.[event];
  if (events === undefined) return false;
  if (listeners === from) events[event] = to;
  else if (Array.isArray(listeners) && listeners.includes(from)) listeners[listeners.indexOf(from)] = to;
  else return false;
  return true;
}

/** Put a listener in the place of one of Node's own, so that nobody hears of one that is new. */
function standBefore<A extends unknown[]>(
  emitter: NodeJS.EventEmitter,
  event: string,
  original: Function | undefined,
  around: (next: () => void, ...args: A) => void,
): Undo | undefined {
  if (original === undefined) return undefined;
  const listener = function (this: unknown, ...args: A): void {
    around(() => Reflect.apply(original, this, args), ...args);
  };
  looksLike(listener, original);
  if (!swapListener(emitter, event, original, listener)) return undefined;
  return () => {
    swapListener(emitter, event, listener, original);
  };
}

function internalReceiver(
  channel: NodeJS.EventEmitter,
  isReceiver: (listener: Function) => boolean,
): Function | undefined {
  return channel.rawListeners('internalMessage').find(isReceiver);
}

/**
 * Stand before Node's own receiver of what a cluster's worker says to its primary (lib/internal/cluster/utils.js `internal`).
 *
 * @param around is given a message, and what passes it on
 */
export function aroundMessages(
  child: NodeJS.EventEmitter,
  around: (message: ClusterMessage, next: () => void) => void,
): void {
  const original = internalReceiver(child, ({ name }) => name === 'onInternalMessage');
  standBefore<[ClusterMessage]>(child, 'internalMessage', original, (next, message) => around(message, next));
}

/**
 * Stand before Node's own receiver of handles that come with messages (lib/internal/child_process.js `setupChannel`).
 *
 * @param around is given what came with a message, and what receives it
 * @returns an undo; undefined where there is no such receiver: this is no channel, or Node's code is not what we know
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
 * Call `act`, which sends a message to this process's parent, and keep what `isKept` picks from being sent.
 *
 * @returns the messages that were kept
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

/** Answer a query of this worker as its primary would, with a listener that is this worker's own. */
export function answerQuery(query: ClusterMessage, key: string, handle: BoundHandle): void {
  const reply = { cmd: 'NODE_CLUSTER', ack: query.seq, errno: 0, key, data: query.data };
  (process as NodeJS.EventEmitter).emit('internalMessage', reply, handle);
}

/**
 * Stand around one of Node's own listeners by which the process begins and ends to listen for signals.
 *
 * @returns an undo; undefined where it has none
 */
export function aroundSignalListener(
  event: 'newListener' | 'removeListener',
  around: (next: () => void, event: string) => void,
): Undo | undefined {
  return standBefore<[string]>(process, event, signalListener(event), around);
}

/**
 * Have Node listen for a signal without a listener (lib/internal/process/signal.js `startListeningIfSignal`): it binds
 * `process.emit` to the signal in this moment, which is `receive` for as long.
 *
 * @returns whether that was so: where there was a listener already, it was not
 */
export function listenUnseen(start: SignalListener, signal: string, receive: (...args: unknown[]) => unknown): boolean {
  const own = Object.getOwnPropertyDescriptor(process, 'emit');
  let isTaken = false;
  const get = (): unknown => {
    isTaken = true;
    return receive;
  };
  defineProperty(process, 'emit', { configurable: true, enumerable: own?.enumerable ?? false, get });
  try {
    start(signal);
  } finally {
    if (own === undefined) Reflect.deleteProperty(process, 'emit');
    else defineProperty(process, 'emit', own);
  }
  return isTaken;
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
