import { createServer } from 'node:http';
import sirv from 'sirv';

const serve = sirv(process.env.ROOT, { dev: true, etag: true });

const server = createServer((request, response) => {
  serve(request, response, () => {
    response.statusCode = 404;
    response.end();
  });
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
