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
