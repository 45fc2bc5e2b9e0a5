import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Server as NetServer, type Socket } from 'node:net';
import { digest } from '../../support/files/content.js';
import { parseResponses } from '../../support/sockets/http-wire.js';
import { turns } from '../../support/turns.js';
import type { Recorder } from '../harness/recorder.js';
import { watchResponse, watchSocket } from './watch.js';

/** A request as text. */
export function request(line = 'GET /', headers: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

/** A request that closes the connection, so that the client knows when it has all. */
export function lastRequest(line = 'GET /', headers: readonly string[] = []): string {
  return request(line, [...headers, 'Connection: close']);
}

export function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

export async function listening<S extends NetServer>(server: S, path?: string): Promise<S> {
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return server;
}

/** The other end of a connection. It reads nothing until it is told to. */
export interface Client {
  readonly socket: Socket;
  /** Bytes that have come so far. */
  received(): Buffer;
  /** Read from now on. */
  read(): void;
  /** All bytes, when the connection has ended. */
  readonly all: Promise<Buffer>;
}

/** Connect to a port or a path, and write a text. */
export function openClient(recorder: Recorder, to: number | string, text: string, who = 'client'): Client {
  const socket = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.pause();
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => recorder.event(who, 'end'));
  socket.on('error', (error: NodeJS.ErrnoException) => recorder.event(who, 'error', error.code));
  const all = new Promise<Buffer>((resolve) => {
    socket.once('close', () => {
      recorder.event(who, 'close');
      resolve(Buffer.concat(chunks));
    });
  });
  if (text !== '') socket.write(text);
  return { socket, all, received: () => Buffer.concat(chunks), read: () => void socket.resume() };
}

/** Write a text to a server and take what it sends until the connection ends. */
export function talk(recorder: Recorder, to: number | string, text: string, who = 'client'): Promise<Buffer> {
  const client = openClient(recorder, to, text, who);
  client.read();
  return client.all;
}

/** Wait until it is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Wait until a socket takes no more, because nobody reads at the other end. */
export async function untilBlocked(socket: Socket): Promise<void> {
  await until(() => socket.writableNeedDrain);
  for (let sent = -1; sent !== socket.bytesWritten; await turns()) sent = socket.bytesWritten;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Number of the request, from 1. Names in the recording end with it. */
  readonly number: number;
}

type Answer = (exchange: Exchange) => unknown;

/** An http server whose responses, and the sockets below them, are watched. Each is answered in an async context of its own. */
export function watchedServer(
  recorder: Recorder,
  answer: Answer,
  options: ServerOptions = {},
  framing?: () => number,
  isWatched = true,
): Server {
  let requests = 0;
  let connections = 0;
  const server = createServer(options, (incoming, response) => {
    const number = ++requests;
    recorder.within(`request ${number}`, () => {
      if (isWatched) watchResponse(recorder, `response-${number}`, response);
      answer({ request: incoming, response, number });
    });
  });
  if (isWatched)
    server.on('connection', (socket: Socket) => watchSocket(recorder, `socket-${++connections}`, socket, framing));
  return server;
}

/** Records what a client received: heads, bodies and trailers. Returns the bytes of the chunks' framing. */
export function noteResponses(recorder: Recorder, name: string, bytes: Buffer, methods: readonly string[]): number {
  const responses = parseResponses(bytes, methods);
  recorder.note(
    name,
    responses.map(({ head, body, trailers }) => ({ head, body: digest(body), trailers })),
  );
  return responses.reduce((sum, { framing }) => sum + framing, 0);
}

/**
 * Serve one connection and write down all that was sent over it.
 *
 * @param requests as text, sent at once
 */
export async function exchange(
  recorder: Recorder,
  answer: Answer,
  requests: readonly string[] = [lastRequest()],
  options?: ServerOptions,
): Promise<void> {
  let framing = 0;
  const server = await listening(watchedServer(recorder, answer, options, () => framing));
  const bytes = await talk(recorder, portOf(server), requests.join(''));
  const methods = requests.map((text) => text.slice(0, text.indexOf(' ')));
  framing = noteResponses(recorder, 'received', bytes, methods);
  server.close();
}
