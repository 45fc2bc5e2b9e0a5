import { server as makeServer } from '@hapi/hapi';
import inert from '@hapi/inert';

const server = makeServer({ port: 0, host: '127.0.0.1' });

await server.register(inert);
server.route({ method: 'GET', path: '/{name*}', handler: { directory: { path: process.env.ROOT } } });

await server.start();
console.log(server.info.port);

process.once('SIGTERM', () => server.stop());
