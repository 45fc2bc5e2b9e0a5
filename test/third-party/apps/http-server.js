import { createServer } from 'http-server';

const { server } = createServer({ root: process.env.ROOT });

server.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
