// An ordinary app, which knows nothing of socket-tune: takes in whatever it is sent and answers with a few bytes.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    const body = `${bytes} bytes\n`;
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
  });
});

server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});

process.on('SIGTERM', () => process.exit());
