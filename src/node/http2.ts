import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { NetSocket } from './net.js';
import { valueBySymbol } from './symbols.js';

/** lib/internal/http2/core.js `kState`. Test: hooks/requests/drain. */
interface SessionState {
  readonly streams?: ReadonlyMap<number, ServerHttp2Stream>;
}

/** The session on a socket that a server has accepted. */
export function sessionOn(socket: object): ServerHttp2Session | undefined {
  const session = valueBySymbol(socket, 'kBoundSession') as ServerHttp2Session | undefined;
  return typeof session?.goaway === 'function' ? session : undefined;
}

/** The open sessions of a server; undefined before Node 24, which keeps none, and of servers of other protocols. */
export function sessionsOf(server: object): Set<ServerHttp2Session> | undefined {
  const sessions = valueBySymbol(server, 'sessions');
  return sessions instanceof Set ? sessions : undefined;
}

/** Whether a server is one of http2. Its classes are not exported. */
export function speaksHttp2(server: object): boolean {
  return server.constructor.name === 'Http2Server' || server.constructor.name === 'Http2SecureServer';
}

/** The open streams of a session. */
export function streamsOf(session: ServerHttp2Session): readonly ServerHttp2Stream[] {
  const state = valueBySymbol(session, 'state') as SessionState | undefined;
  return state?.streams instanceof Map ? [...state.streams.values()] : [];
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
