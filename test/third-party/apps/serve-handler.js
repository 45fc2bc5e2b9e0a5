import { createServer } from 'node:http';
import serve from 'serve-handler';

const server = createServer((request, response) => serve(request, response, { public: process.env.ROOT, etag: true }));

server.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
