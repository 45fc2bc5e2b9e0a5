// A whole file by one call, with a promise.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import { ADDRESS, announce, directory } from './serve.js';

const app = Fastify();

app.get<{ Params: { file: string } }>('/:file', async (request, reply) => {
  try {
    return await readFile(join(directory, request.params.file));
  } catch {
    return reply.code(404).send();
  }
});

await app.listen(ADDRESS);
announce(app.server);
