import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { NetSocket } from '../net.js';
import { valueBySymbol } from '../symbols.js';

/** lib/internal/http2/core.js `kState`. Test: register/leaving/closing. */
interface SessionState {
  /** A SafeMap (lib/internal/per_context/primordials.js), which is no instance of Map. */
  readonly streams?: { values?(): Iterable<ServerHttp2Stream> };
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

/** Node's list of a server's open sessions: a SafeSet, which is no instance of Set. */
export type SessionList = Iterable<ServerHttp2Session> & Pick<Set<ServerHttp2Session>, 'add' | 'delete' | 'size'>;

/** See {@link SessionList}; undefined before Node 24, which keeps none, and of servers of other protocols. */
export function sessionListOf(server: object): SessionList | undefined {
  const list = valueBySymbol(server, 'sessions') as SessionList | undefined;
  return typeof list?.add === 'function' ? list : undefined;
}

/** The open sessions of a server; undefined as with {@link sessionListOf}. */
export function sessionsOf(server: object): readonly ServerHttp2Session[] | undefined {
  const list = sessionListOf(server);
  return list && [...list];
}

/** Whether a server is one of http2. Its classes are not exported. */
export function speaksHttp2(server: object): boolean {
  return server.constructor.name === 'Http2Server' || server.constructor.name === 'Http2SecureServer';
}

/** The open streams of a session. */
export function streamsOf(session: ServerHttp2Session): readonly ServerHttp2Stream[] {
  const { streams } = (valueBySymbol(session, 'state') ?? {}) as SessionState;
  return [...(streams?.values?.() ?? [])];
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
