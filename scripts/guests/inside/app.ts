/**
 * The app of the guests. It knows nothing of socket-tune. By HTTP it sends the files of any directory (`/files?path=…`), and ends at
 * `/end`. On a plain socket it writes a line every 100 ms, and at `/ends` it tells how such connections ended. Its ports are the first
 * line of its output.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTalker, type Server } from 'node:net';

/** Codes of errors of the talker's connections. */
const ends: string[] = [];

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const { size } = await stat(path);
  response.setHeader('content-length', size);
  const stream = createReadStream(path);
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/files') {
    sendFile(searchParams.get('path') ?? '', response).catch((error: NodeJS.ErrnoException) => {
      response.writeHead(500).end(`${error.code}\n`);
    });
  } else if (pathname === '/ends') {
    response.end(JSON.stringify(ends));
  } else {
    response.end('bye\n');
    server.close();
    talker.close();
  }
});

// An emulated processor may take longer than Node's 5 s between two requests. Then the client would meet a closed connection.
server.keepAliveTimeout = 120_000;

const talker = createTalker((socket) => {
  const timer = setInterval(() => socket.write('are you there?\n'), 100);
  socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message));
  socket.on('close', () => clearInterval(timer));
  socket.resume();
});

function listen(one: Server): Promise<number> {
  return new Promise((resolve) => {
    one.listen(0, '127.0.0.1', () => resolve((one.address() as AddressInfo).port));
  });
}

console.log(JSON.stringify({ http: await listen(server), talker: await listen(talker) }));
