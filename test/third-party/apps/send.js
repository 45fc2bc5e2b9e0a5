import { createServer } from 'node:http';
import send from 'send';

const server = createServer((request, response) => {
  send(request, request.url, { root: process.env.ROOT }).pipe(response);
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.once('SIGTERM', () => server.close());
