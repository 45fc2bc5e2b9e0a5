// A whole file by one call, with a callback.

import { readFile } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import { ADDRESS, announce, directory } from './serve.js';

const app = Fastify();

app.get<{ Params: { file: string } }>('/:file', (request, reply) => {
  readFile(join(directory, request.params.file), (error, content) => {
    if (error === null) reply.send(content);
    else reply.code(404).send();
  });
});

await app.listen(ADDRESS);
announce(app.server);
