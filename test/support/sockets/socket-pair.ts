import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  asNetServer,
  asNetSocket,
  type ListenHandle,
  type NetSocket,
  type SocketHandle,
} from '../../../src/node/net.js';

/** The two ends of a connection within this process. */
export interface SocketPair {
  /** The end that a server accepted. */
  readonly accepted: NetSocket;
  /** The end that connected. */
  readonly client: Socket;
  close(): void;
}

/** A server on a free port, or on a path. */
export async function listening(server: Server = createServer(), path?: string): Promise<Server> {
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return server;
}

/** What to connect to in order to reach a server. */
export function reach(server: Server): { host: string; port: number } | { path: string } {
  const address = server.address();
  if (address === null) throw new Error('the server does not listen');
  return typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address.port };
}

export function portOf(server: Server): number {
  const address = reach(server);
  if (!('port' in address)) throw new Error('a server on a path');
  return address.port;
}

/** A connection to a server, with both of its ends. */
export async function connection(server: Server): Promise<SocketPair> {
  const client = connect(reach(server));
  const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
  return {
    accepted: asNetSocket(accepted),
    client,
    close() {
      client.destroy();
      accepted.destroy();
    },
  };
}

/** A connection over TCP, or over a Unix socket at a path. */
export async function socketPair(path?: string): Promise<SocketPair> {
  const server = await listening(createServer({ allowHalfOpen: true }), path);
  const pair = await connection(server);
  server.close();
  return pair;
}

/** All that comes in until the other end is through. */
export async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The handle of a socket that is open. */
export function handleOf(socket: Socket): SocketHandle {
  const handle = asNetSocket(socket)._handle;
  if (handle === null) throw new Error('the socket is closed');
  return handle;
}

/** The handle of a server that listens. */
export function listenHandleOf(server: Server): ListenHandle {
  const handle = asNetServer(server)._handle;
  if (handle === null) throw new Error('the server does not listen');
  return handle;
}
