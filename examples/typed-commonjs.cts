// In TypeScript that becomes CommonJS: a type, the module as one value, and its values by name.
import { createServer } from 'node:net';
import type { TuneConfig } from 'socket-tune';
import { lowLatencyConfig, SocketTuneError } from 'socket-tune';

import tune = require('socket-tune');

const config: TuneConfig = { ...lowLatencyConfig(), receiveLowWater: 1 };

const server = createServer((socket) => {
  tune.apply(socket, config);
  socket.end('hello\n');
});

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  try {
    console.log('listening', tune.applyListener(server, config).length);
  } catch (error) {
    if (!(error instanceof SocketTuneError)) throw error;
    console.error(error.code);
  }
});
