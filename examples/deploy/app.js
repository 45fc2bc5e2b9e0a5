// An ordinary server, without any code for socket-tune.
//
// PORT: where it listens; 8080 by default. Under systemd's socket activation it takes systemd's socket.
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';

const FIRST_PASSED_DESCRIPTOR = 3;

const server = createServer((request, response) => {
  if (request.url === '/file') {
    const file = createReadStream(process.execPath, { end: 1_000_000 - 1 });
    // The client may leave in the middle of the file.
    return pipeline(file, response, (error) => error && console.error(error.message));
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ hello: 'world' }));
});

const isActivated = Number(process.env.LISTEN_FDS) > 0 && Number(process.env.LISTEN_PID) === process.pid;
server.listen(isActivated ? { fd: FIRST_PASSED_DESCRIPTOR } : { port: Number(process.env.PORT ?? 8080) });
server.once('listening', () => console.log('listening on', server.address()));
