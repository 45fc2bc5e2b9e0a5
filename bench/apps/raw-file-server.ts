// Files without HTTP, by an ordinary app: the client sends a name and a line feed, and gets the file and the end.

import { createReadStream } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

const directory = process.env.FILES ?? '.';
const chunks = process.env.HIGH_WATER_MARK;
const options = chunks === undefined ? {} : { highWaterMark: Number(chunks) };

const server = createServer((socket) => {
  socket.once('data', (line) => {
    createReadStream(join(directory, String(line).trim()), options).pipe(socket);
  });
  // A client may abort.
  socket.on('error', () => socket.destroy());
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log((server.address() as AddressInfo).port);
});

process.on('SIGTERM', () => process.exit());
