import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';

const app = Fastify();

app.get('/:name', async (request, reply) => {
  const file = join(process.env.ROOT, request.params.name);
  const stats = await stat(file).catch(() => undefined);
  if (stats === undefined) return reply.callNotFound();
  return reply.type('application/octet-stream').header('content-length', stats.size).send(createReadStream(file));
});

await app.listen({ port: 0, host: '127.0.0.1' });
console.log(app.server.address().port);

process.once('SIGTERM', () => app.close());
