// Server of the link benchmarks: an ordinary app, without socket-tune. FILES is its directory; HOST is where it
// listens for HTTP, and one port higher for a message protocol.

import { createReadStream, readdirSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { takeUpload } from '../upload.js';
import './app-heap.js';

const { HOST = '127.0.0.1', PORT = '8080', FILES = '.' } = process.env;
const sizes = new Map(readdirSync(FILES).map((name) => [name, statSync(join(FILES, name)).size]));

function sendFile(response: ServerResponse, name: string): void {
  const size = sizes.get(name);
  if (size === undefined) return void response.writeHead(404, { 'content-length': 0 }).end();
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  createReadStream(join(FILES, name)).pipe(response);
}

const bodies = new Map<number, Buffer>();

/** A body in memory, as from a cache. */
function sendBuffer(response: ServerResponse, size: number): void {
  const body = bodies.get(size) ?? Buffer.alloc(size, 'b');
  bodies.set(size, body);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size }).end(body);
}

let working: NodeJS.Timeout | undefined;

/** Other work from now on: milliseconds of work, then milliseconds of break. */
function work(response: ServerResponse, milliseconds: number, pause: number): void {
  const once = (): void => {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  };
  clearInterval(working);
  working = milliseconds > 0 ? setInterval(once, milliseconds + pause) : undefined;
  response.writeHead(200, { 'content-length': 0 }).end();
}

/** /file/NAME, /memory/BYTES, /work/MILLISECONDS/PAUSE, /upload */
const server = createServer((request, response) => {
  const [, what, which = '', more] = request.url?.split('/') ?? [];
  if (what === 'work') work(response, Number(which), Number(more));
  else if (what === 'file') sendFile(response, which);
  else if (what === 'memory') sendBuffer(response, Number(which));
  else takeUpload(request, response);
});

/** A message on the wire: length, kind, bytes. */
function message(kind: number, bytes: number): Buffer {
  const frame = Buffer.alloc(5 + bytes);
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt8(kind, 4);
  return frame;
}

const LARGE = message(0, 16 << 10);
const SMALL = message(1, 64);

/** Large messages at full speed with back-pressure (`write` until false, then 'drain'), and a small one on request. */
function talk(socket: Socket): void {
  const fill = (): void => {
    while (socket.writable && socket.write(LARGE));
  };
  socket.on('drain', fill);
  socket.on('data', (asked: Buffer) => {
    for (const _ of asked) socket.write(SMALL);
  });
  // The client aborts.
  socket.on('error', () => socket.destroy());
  fill();
}

createTcpServer(talk).listen(Number(PORT) + 1, HOST, () => {
  server.listen(Number(PORT), HOST, () => console.log(PORT));
});

process.on('SIGTERM', () => process.exit());
