import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect, type Server as NetServer } from 'node:net';
import type { Witness } from './witness.js';

/** A request as text. The last one on a connection asks for its end, so that the client knows when it has all. */
export function request(line = 'GET /', headers: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

export const CLOSE = 'Connection: close';

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

export async function listening<S extends NetServer>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Write a text to a server and take what it sends until the connection ends. */
export async function talk(witness: Witness, to: number | string, text: string, name = 'client'): Promise<Buffer> {
  const client = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
  return collect(witness, client, text, name);
}

async function collect(witness: Witness, client: Socket, text: string, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const event of ['end', 'close'] as const) client.on(event, () => witness.event(`${name} ${event}`));
  client.on('error', (error: NodeJS.ErrnoException) => witness.event(`${name} error ${error.code}`));
  client.write(text);
  await new Promise((resolve) => client.once('close', resolve));
  return Buffer.concat(chunks);
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Number of the request, from 1; what belongs to it is written down with this. */
  readonly number: number;
}

/** An http server whose responses, and the sockets below them, are watched. Each is answered in an async context of its own. */
export function watchedServer(witness: Witness, answer: (exchange: Exchange) => void): Server {
  let requests = 0;
  let connections = 0;
  const server = createServer((incoming, response) => {
    const number = ++requests;
    witness.within(`request ${number}`, () => {
      witness.response(`response-${number}`, response, incoming);
      answer({ request: incoming, response, number });
    });
  });
  server.on('connection', (socket: Socket) => witness.socket(`socket-${++connections}`, socket));
  return server;
}

/**
 * Serve one connection and write down all that was sent over it.
 *
 * @param requests as text, sent at once
 */
export async function exchange(
  witness: Witness,
  answer: (exchange: Exchange) => void,
  requests: readonly string[] = [request('GET /', [CLOSE])],
): Promise<void> {
  const server = await listening(watchedServer(witness, answer));
  const bytes = await talk(witness, portOf(server), requests.join(''));
  const methods = requests.map((text) => text.slice(0, text.indexOf(' ')));
  witness.responses('received', bytes, methods);
  server.close();
}
