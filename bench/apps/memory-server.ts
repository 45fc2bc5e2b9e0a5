// Best case of Node without sendfile: the file is in memory, and each response is one write.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const directory = process.env.FILES ?? '.';
const bodies = new Map<string, Buffer>();

function body(name: string): Buffer {
  const known = bodies.get(name);
  if (known !== undefined) return known;
  const read = readFileSync(join(directory, name));
  bodies.set(name, read);
  return read;
}

const server = createServer((request, response) => {
  const content = body(request.url?.slice(1) ?? '');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.length });
  response.end(content);
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log((server.address() as AddressInfo).port);
});

process.on('SIGTERM', () => process.exit());
