// Two kinds of connections whose peer falls silent: an idle one, and one with data in flight. An ordinary
// app, without socket-tune. The file EVENTS gets the time and the cause of the end of each connection.

import { appendFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

const { HOST = '127.0.0.1', PORT = '8080', EVENTS = '/dev/stderr' } = process.env;

function watch(socket: Socket, kind: 'idle' | 'sending'): void {
  socket.on('error', ({ code }: NodeJS.ErrnoException) => {
    appendFileSync(EVENTS, `${JSON.stringify({ kind, code, at: Date.now() })}\n`);
  });
}

createServer((socket) => watch(socket, 'idle')).listen(Number(PORT), HOST, () => {
  createServer((socket) => {
    watch(socket, 'sending');
    const ticking = setInterval(() => socket.write('tick\n'), 100);
    socket.on('close', () => clearInterval(ticking));
  }).listen(Number(PORT) + 1, HOST, () => console.log(PORT));
});

process.on('SIGTERM', () => process.exit());
