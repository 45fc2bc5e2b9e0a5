import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';

const app = Fastify();

app.register(fastifyStatic, { root: process.env.ROOT });

await app.listen({ port: 0, host: '127.0.0.1' });
console.log(app.server.address().port);

process.once('SIGTERM', () => app.close());
