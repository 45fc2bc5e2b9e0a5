import type { Socket } from 'node:net';
import type { ListenerRecord } from './listener-record.js';

const { channel } = process.getBuiltinModule('node:diagnostics_channel');

/** On `socket-tune:connection`: a connection was accepted, and the app has got its event. */
export interface ConnectionMessage {
  readonly listener: ListenerRecord;
  readonly socket: Socket;
}

/**
 * On `socket-tune:file`: a file stream was piped to a socket or response.
 *
 * `node`: from now on its bytes take Node's own path, for this reason. `sendfile`, or `copied` (a small file, sent with its
 * headers): all is sent, and this many bytes.
 */
export type FileMessage =
  | { readonly path: string | Buffer; readonly route: 'node'; readonly reason: string }
  | { readonly path: string | Buffer; readonly route: 'sendfile' | 'copied'; readonly bytes: number };

/** A message is a {@link ListenerRecord}. It comes when a server has begun to listen. */
export const listenerChannel = channel('socket-tune:listener');
export const connectionChannel = channel('socket-tune:connection');
export const fileChannel = channel('socket-tune:file');

export function publishConnection(message: ConnectionMessage): void {
  connectionChannel.publish(message);
}

export function publishFile(message: FileMessage): void {
  fileChannel.publish(message);
}
