import { createServer } from 'node:http';
import serveStatic from 'serve-static';

const serve = serveStatic(process.env.ROOT);

const server = createServer((request, response) => {
  serve(request, response, (error) => {
    response.statusCode = error?.status ?? 404;
    response.end();
  });
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
