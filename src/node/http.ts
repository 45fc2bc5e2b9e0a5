import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NetSocket } from './net.js';
import { valueBySymbol } from './symbols.js';

/** lib/_http_outgoing.js. */
export interface HttpMessage extends ServerResponse {
  readonly _hasBody: boolean;
  /** The header block as it is sent; null before it is made. */
  readonly _header: string | null;
  /** The connection ends after this message (lib/_http_server.js `resOnFinish`). */
  readonly _last: boolean;
  _send(...args: unknown[]): boolean;
  _writeRaw(...args: unknown[]): boolean;
  _flushOutput(socket: unknown): boolean | undefined;
}

/** lib/_http_common.js `parsers`; src/node_http_parser.cc. */
interface ServerParser {
  readonly socket?: NetSocket | null;
}

/** The connections of a server that speak HTTP/1 (src/node_http_parser.cc `ConnectionsList`). Test: hooks/requests/drain. */
export interface ConnectionsList {
  all(): readonly ServerParser[];
  /** Those between two requests. One that has sent nothing yet is not among them. */
  idle(): readonly ServerParser[];
}

/** The list of a server of http, of https, or of http2 with `allowHTTP1`; undefined of others, and before 'listening'. */
export function connectionsOf(server: object): ConnectionsList | undefined {
  const list = valueBySymbol(server, 'http.server.connections') as ConnectionsList | undefined;
  return typeof list?.all === 'function' && typeof list.idle === 'function' ? list : undefined;
}

/** The newest request that has arrived on a connection, unless it is answered. */
export function newestRequest(socket: NetSocket): IncomingMessage | undefined {
  return (socket.parser?.incoming ?? undefined) as IncomingMessage | undefined;
}

/** The sockets of connections. */
export function socketsOf(parsers: readonly ServerParser[]): readonly NetSocket[] {
  return parsers.flatMap(({ socket }) => (socket ? [socket] : []));
}
