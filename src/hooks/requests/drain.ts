import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { monotonic, nextTick } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { HttpMessage } from '../../node/http.js';
import { net } from '../../node/modules.js';
import { asNetSocket, type ListenHandle, type NetServer, type NetSocket, serverOf } from '../../node/net.js';
import { keepAddress } from '../../node/patch/net.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import {
  afterHeader,
  afterListen,
  aroundIdle,
  beforeServerClose,
  endAfter,
  idleConnections,
  whenConnectionsAreKept,
} from '../../node/patch/servers/http1.js';
import { afterSecureConnection, keepSessionsOpen } from '../../node/patch/servers/http2.js';
import { afterEnd } from '../../node/patch/sockets/socket-end.js';
import { type ConnectionsList, newestRequest, socketsOf } from '../../node/servers/http1.js';
import { leavingRecord } from '../../report/leaving.js';
import type { Hook, HookContext } from '../context.js';
import { isExempt } from '../exempt-server.js';
import { drainOnClose } from '../shared-port/drain.js';
import { PrimaryQueue } from '../shared-port/primary-queue.js';
import { withClose } from './closing-header.js';
import { noteTold, ServerDrain } from './server-drain.js';

/** Connections get this share of their time at least, however late a busy process gets to closing its servers. */
const LEAST_SHARE = 1 / 2;

/** A server that listens. */
interface Listening {
  readonly handle: ListenHandle;
  /** Its socket was made here. What waits in the queue of any other, somebody else may accept. */
  readonly isOwn: boolean;
}

const listening = new Map<NetServer, Listening>();

/** Drains under way, by their servers. */
const drains = new WeakMap<object, ServerDrain | undefined>();
const underWay = new Set<ServerDrain>();

/** Called when a drain has ended. */
let onDrained: (() => void) | undefined;

/** The servers of lists of connections. */
const owners = hiddenSlot<ConnectionsList, NetServer>();

/** TLS sockets of http2, where Node keeps no list of sessions. */
const secured = new WeakMap<object, Set<NetSocket>>();

/**
 * When the last connection has to be gone, once a signal has come. Servers that begin to listen after that do not make the process ready
 * again.
 */
let leaveBy: number | undefined;

/** Of the listeners whose connections this process, a cluster's primary, passes on to its workers. */
const primaryQueues = new Set<PrimaryQueue>();

function openQueues(): readonly PrimaryQueue[] {
  for (const queue of primaryQueues) if (!queue.isOpen) primaryQueues.delete(queue);
  return [...primaryQueues];
}

/** Servers that listen. */
function listeningServers(): NetServer[] {
  for (const server of listening.keys()) if (server._handle === null) listening.delete(server);
  return [...listening.keys()];
}

/** Have a cluster's primary accept no newcomers any more. What is in its queues still goes to its workers. */
export function stopNewcomers(platform: Platform): void {
  for (const queue of openQueues()) queue.ignoreNewcomers(platform);
}

/** Whether nothing waits in the queues of a cluster's primary. */
export function hasEmptyQueues(platform: Platform): boolean {
  return openQueues().every((queue) => queue.isEmpty(platform));
}

/** The state of {@link drainHook}. */
class Draining {
  readonly #context: HookContext;
  readonly #time: number;
  /** What is put in place when it is first needed. */
  readonly #undos: Undo[];
  #holdsIdle = false;
  #isClosing = false;

  constructor(context: HookContext, time: number) {
    this.#context = context;
    this.#time = time;
    const prototype: object = net().Server.prototype;
    this.#undos = [
      afterListen(prototype, (server, args) => this.#onListen(server, args)),
      beforeServerClose(prototype, (server) => this.#onClose(server)),
    ];
  }

  undo(): void {
    undoAll(this.#undos.splice(0))();
    for (const drain of underWay) drain.end();
    listening.clear();
    primaryQueues.clear();
  }

  #onListen(server: NetServer, [handle, , , , , fd]: readonly unknown[]): void {
    // Without a handle it has failed.
    if (isExempt(server) || server._handle === null) return;
    drains.get(server)?.end();
    const isOwn = handle === null && !(typeof fd === 'number' && fd >= 0);
    const { _handle: listener } = server;
    listening.set(server, { handle: listener, isOwn });
    // A cluster's primary takes it from its server at 'listening', ahead of this.
    nextTick(() => {
      if (server._handle === null && fdOf(listener) >= 0) primaryQueues.add(new PrimaryQueue(listener, isOwn));
    });
    if (leaveBy === undefined) leavingRecord.draining = false;
    whenConnectionsAreKept(server, (list) => this.#holdIdle(server, list));
    this.#noteSecured(server);
  }

  /** Before Node 24, TLS sockets of http2 are not to be found later. */
  #noteSecured(server: NetServer): void {
    if (secured.get(server) !== undefined) return;
    const sockets = new Set<NetSocket>();
    let most = 64;
    const undo = afterSecureConnection(server, (socket) => {
      sockets.add(socket);
      if (sockets.size < most) return;
      for (const one of sockets) if (one.destroyed) sockets.delete(one);
      most = Math.max(64, sockets.size * 2);
    });
    if (undo === undefined) return;
    this.#undos.push(undo);
    secured.set(server, sockets);
  }

  /** http calls `closeIdleConnections()` within `close()`, and Fastify ahead of it. */
  #holdIdle(server: NetServer, list: ConnectionsList): void {
    owners.set(list, server);
    if (this.#holdsIdle) return;
    this.#holdsIdle = true;
    this.#undos.push(aroundIdle(list, (one) => this.#idleToCut(one)));
  }

  /** The idle connections that are cut at once. */
  #idleToCut(list: ConnectionsList): ReturnType<ConnectionsList['idle']> {
    const server = owners.get(list);
    if (server === undefined) return idleConnections(list);
    if (drains.get(server) === undefined) {
      nextTick(() => {
        if (drains.get(server) === undefined) cutIdle(list);
      });
    }
    // Ended by the app, which can answer nothing there any more.
    return idleConnections(list).filter(({ socket }) => socket?.writableEnded);
  }

  /** An idle connection would be cut by now, were it not for us. So a request that comes later finds nobody. */
  #onEnd(socket: NetSocket): void {
    const server = serverOf(socket);
    if (typeof server !== 'object' || server === null || drains.get(server) === undefined) return;
    const isIdle = socket.bytesRead > 0 && socket.parser != null && newestRequest(socket) === undefined;
    if (isIdle && !socket._httpMessage) socket.destroy();
  }

  #onClose(server: NetServer): void {
    const { _handle: handle } = server;
    if (isExempt(server) || handle === null) return;
    const { isOwn = false } = listening.get(server) ?? {};
    listening.delete(server);
    keepSessionsOpen(server);
    // A listener on a shared port has its own way to close.
    if (isOwn && !Object.hasOwn(handle, 'close')) drainOnClose(this.#context.platform(), server, handle, true);
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#undos.push(
        afterHeader(sayClose),
        afterEnd((socket) => this.#onEnd(socket)),
      );
    }
    const drain = new ServerDrain(server, timeOf(this.#time), () => [...(secured.get(server) ?? [])], forget);
    drains.set(server, drain);
    underWay.add(drain);
    if (listeningServers().length === 0) leavingRecord.draining = true;
  }
}

/** How long a server that is closed now has to finish its connections, of the time that one has which is closed at any other time. */
function timeOf(whole: number): number {
  const left = leaveBy === undefined ? whole : leaveBy - monotonic();
  return Math.min(whole, Math.max(left, whole * LEAST_SHARE));
}

function forget(drain: ServerDrain): void {
  underWay.delete(drain);
  if (drains.get(drain.server) === drain) drains.set(drain.server, undefined);
  onDrained?.();
}

/** As lib/_http_server.js `closeIdleConnections` does it. */
function cutIdle(list: ConnectionsList): void {
  for (const socket of socketsOf(idleConnections(list))) {
    if (!socket._httpMessage || socket._httpMessage.finished) socket.destroy();
  }
}

/** Have a response of a server that is closed say that its connection ends. */
function sayClose(response: HttpMessage): void {
  if (underWay.size === 0) return;
  const socket = response.req?.socket && asNetSocket(response.req.socket);
  const server = socket && serverOf(socket);
  if (typeof server !== 'object' || server === null || drains.get(server) === undefined) return;
  if (socket === undefined || response._last || response.statusCode < 200) return;
  const header = response._header === null ? undefined : withClose(response._header);
  if (header === undefined) return;
  noteTold(socket);
  endAfter(response, header, socket);
}

/** Whether a server listens, or has connections to finish. */
export function hasServers(): boolean {
  return listeningServers().length > 0 || underWay.size > 0;
}

/** Whether a server listens: newcomers may still come. */
export function isListening(): boolean {
  return listeningServers().length > 0;
}

/**
 * The process leaves: it is not ready for anybody, whatever its servers do.
 *
 * @param by when the last connection has to be gone, by the monotonic clock
 */
export function noteLeaving(by: number): void {
  leaveBy = by;
  leavingRecord.draining = true;
}

/** Close every server, and call `then` once all connections of closed servers are gone, or cut. */
export function closeServers(then: () => void): void {
  for (const server of listeningServers()) {
    try {
      keepAddress(server);
      server.close();
    } catch (error) {
      debug('a server could not be closed: %o', error);
    }
  }
  onDrained = () => {
    if (underWay.size > 0) return;
    onDrained = undefined;
    then();
  };
  onDrained();
}

function install(context: HookContext): Undo | undefined {
  if (context.drain === undefined) return undefined;
  const draining = new Draining(context, context.drain);
  return () => draining.undo();
}

/** Connections of a server that is closed end when they have answered once more, not in the middle of a request that is on its way. */
export const drainHook: Hook = { name: 'drain', install };
