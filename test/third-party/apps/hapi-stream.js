import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { server as makeServer } from '@hapi/hapi';

const server = makeServer({ port: 0, host: '127.0.0.1' });

server.route({
  method: 'GET',
  path: '/{name}',
  async handler(request, h) {
    const file = join(process.env.ROOT, request.params.name);
    const stats = await stat(file).catch(() => undefined);
    if (stats === undefined) return h.response().code(404);
    return h.response(createReadStream(file)).type('application/octet-stream').bytes(stats.size);
  },
});

await server.start();
console.log(server.info.port);

process.once('SIGTERM', () => server.stop());
