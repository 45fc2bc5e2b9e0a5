import type { ServerResponse } from 'node:http';

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

/** Times of an http or https server, in milliseconds, and of an http2 server that speaks HTTP/1.1 too (lib/_http_server.js `storeHTTPOptions`). */
export interface HttpServerTimes {
  /** How long a connection may be idle between two requests. Node adds `keepAliveTimeoutBuffer`, where it has that. */
  readonly keepAliveTimeout: number;
  /** How long the head of a request may take, and the first byte of a new connection. */
  readonly headersTimeout: number;
  /** How long a request may take to arrive; at most so long is `headersTimeout`. */
  readonly requestTimeout: number;
}

/** What Node takes where the app says nothing (lib/_http_server.js `storeHTTPOptions`). Test: register/requests/behind. */
export const NODES_TIMES: HttpServerTimes = { keepAliveTimeout: 5000, headersTimeout: 60_000, requestTimeout: 300_000 };
