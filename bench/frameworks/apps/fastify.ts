import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import { ADDRESS, announce, directory } from './serve.js';

const app = Fastify();

app.register(fastifyStatic, { root: directory });

await app.listen(ADDRESS);
announce(app.server);
