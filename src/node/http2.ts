import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { NetSocket } from './net.js';
import { valueBySymbol } from './symbols.js';

/** lib/internal/http2/core.js `kState`. Test: hooks/requests/drain. */
interface SessionState {
  readonly streams?: Collection<ServerHttp2Stream>;
}

/** Of what Node's SafeMap and SafeSet have (lib/internal/per_context/primordials.js): they are instances of neither Map nor Set. */
interface Collection<T> {
  forEach(use: (item: T) => void): void;
}

function itemsOf<T>(collection: Collection<T> | undefined): T[] {
  const items: T[] = [];
  if (typeof collection?.forEach === 'function') collection.forEach((item) => items.push(item));
  return items;
}

/**
 * The session on a socket that a server has accepted. lib/internal/stream_base_commons.js has a symbol for it and does not export it, so
 * lib/internal/http2/core.js uses `undefined` as the key.
 */
export function sessionOn(socket: object): ServerHttp2Session | undefined {
  const session: unknown = valueBySymbol(socket, 'kBoundSession') ?? Reflect.get(socket, 'undefined');
  return isSession(session) ? session : undefined;
}

function isSession(value: unknown): value is ServerHttp2Session {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'goaway') === 'function';
}

/** Node's list of a server's open sessions. */
export type SessionList = Collection<ServerHttp2Session> & Pick<Set<ServerHttp2Session>, 'add' | 'delete' | 'size'>;

/** See {@link SessionList}; undefined before Node 24, which keeps none, and of servers of other protocols. */
export function sessionListOf(server: object): SessionList | undefined {
  const list = valueBySymbol(server, 'sessions') as SessionList | undefined;
  return typeof list?.forEach === 'function' ? list : undefined;
}

/** The open sessions of a server; undefined as with {@link sessionListOf}. */
export function sessionsOf(server: object): readonly ServerHttp2Session[] | undefined {
  const list = sessionListOf(server);
  return list && itemsOf(list);
}

/** Whether a server is one of http2. Its classes are not exported. */
export function speaksHttp2(server: object): boolean {
  return server.constructor.name === 'Http2Server' || server.constructor.name === 'Http2SecureServer';
}

/** The open streams of a session. */
export function streamsOf(session: ServerHttp2Session): readonly ServerHttp2Stream[] {
  return itemsOf((valueBySymbol(session, 'state') as SessionState | undefined)?.streams);
}

/** The socket of a session: Node hands out a proxy. */
export function socketOf(session: ServerHttp2Session): NetSocket | undefined {
  return valueBySymbol(session, 'socket') as NetSocket | undefined;
}

/** The request of a stream, where the app has asked for requests and not for streams. */
export function requestOf(stream: ServerHttp2Stream): { readonly method?: string; readonly url?: string } | undefined {
  const request = valueBySymbol(stream, 'request');
  return typeof request === 'object' && request !== null ? request : undefined;
}
