import type { IncomingMessage } from 'node:http';
import type { NetSocket } from '../net.js';
import { valueBySymbol } from '../symbols.js';

/** lib/_http_common.js `parsers`; src/node_http_parser.cc. */
interface ServerParser {
  readonly socket?: NetSocket | null;
}

/** The connections of a server that speak HTTP/1 (src/node_http_parser.cc `ConnectionsList`). Test: register/leaving/closing. */
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
