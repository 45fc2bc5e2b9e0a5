// Two kinds of connections whose other end falls silent: one on which nothing is said, and one that is being sent to. An ordinary
// app, which knows nothing of socket-tune; in the file EVENTS it says when a connection has ended, and by what.

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
