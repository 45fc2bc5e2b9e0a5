// File server of the benchmarks: an ordinary app, without socket-tune. FILES is its directory,
// HIGH_WATER_MARK the size of its chunks, if not Node's own.

import { createReadStream, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const directory = process.env.FILES ?? '.';
const chunks = process.env.HIGH_WATER_MARK;
const options = chunks === undefined ? {} : { highWaterMark: Number(chunks) };
const sizes = new Map(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).size]));

const server = createServer((request, response) => {
  const name = request.url?.slice(1) ?? '';
  const size = sizes.get(name);
  if (size === undefined) {
    response.writeHead(404, { 'content-length': 0 }).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  createReadStream(join(directory, name), options).pipe(response);
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log((server.address() as AddressInfo).port);
});

process.on('SIGTERM', () => process.exit());
