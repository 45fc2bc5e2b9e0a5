// Fastify with its static plugin.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';

const port = Number(process.env.PORT ?? 8080);
const root = resolve(process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url)));

const app = Fastify();

app.register(fastifyStatic, { root });
app.get('/hello', () => 'Hello\n');

console.log(`listening on ${await app.listen({ port, host: '127.0.0.1' })}`);

process.on('SIGTERM', () => app.close());
