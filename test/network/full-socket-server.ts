// A server for a link: what delay the package would wait for its full sockets is the length of what it answers to /longest; see
// bench/apps/link-server.ts for HOST and PORT.

import { createServer, type ServerResponse } from 'node:http';
import { fdOf } from '../../src/native/sockets/handle-fd.js';
import { asNetSocket } from '../../src/node/net.js';
import { realFiles } from '../support/files/fake-files.js';

const { HOST = '127.0.0.1', PORT = '8080' } = process.env;
const PIECE = Buffer.alloc(64 << 10);
/** More than any client takes in time. */
const LENGTH = 1e12;

let longest = 0;

/** Write until the socket is full, and again when it reports room. */
function fill(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  while (response.write(PIECE));
  longest = Math.max(longest, realFiles().refillDelay(fdOf(asNetSocket(socket)._handle)));
}

const server = createServer((request, response) => {
  if (request.url === '/longest') return void response.end(Buffer.alloc(longest));
  response.writeHead(200, { 'content-length': LENGTH });
  response.on('drain', () => fill(response));
  fill(response);
});

server.listen(Number(PORT), HOST, () => console.log(PORT));

process.on('SIGTERM', () => process.exit());
