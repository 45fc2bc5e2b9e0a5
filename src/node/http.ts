import type { Agent, ServerResponse } from 'node:http';

/** lib/_http_outgoing.js. */
export interface HttpMessage extends ServerResponse {
  readonly _hasBody: boolean;
  /** The header block as it is sent; null before it is made. */
  readonly _header: string | null;
  /** The connection ends after this message (lib/_http_server.js `resOnFinish`). */
  readonly _last: boolean;
  /** Of a request: it has ended, and its connection is about to be released (lib/_http_client.js `emitFreeNT`). Test: hooks/requests/agent-pool. */
  readonly _closed?: boolean;
  /** Of a request: the agent whose connection it has. */
  readonly agent?: unknown;
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
/** The options that an agent has for a connection, or for a request. */
export interface AgentOptions {
  readonly host?: unknown;
  readonly port?: unknown;
  /** Of a connection alone (lib/_http_agent.js `createSocket`). Test: hooks/requests/agent-pool. */
  readonly _agentKey?: unknown;
}

/** lib/_http_agent.js. Its pools have the sockets of each destination, by what `getName` returns. */
export interface HttpAgent extends Omit<Agent, 'getName'> {
  readonly scheduling?: unknown;
  getName(options?: AgentOptions, ...rest: unknown[]): string;
}
