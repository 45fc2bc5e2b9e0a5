// A file server on raw TCP: the client sends a line with a file's name, and gets the file's bytes until the end. Where
// there is no such file, the connection ends at once.
//
//   printf 'notes.txt\n' | nc 127.0.0.1 8080

import { createReadStream } from 'node:fs';
import { createServer } from 'node:net';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 8080);
const root = resolve(process.env.ROOT ?? fileURLToPath(new URL('public', import.meta.url)));

const longestName = 4096;

function sendFile(socket, name) {
  const file = resolve(root, name);
  if (!file.startsWith(root + sep) || file.includes('\0')) return socket.end();

  const stream = createReadStream(file);
  // A file that cannot be opened has sent nothing, so an orderly end is right; one that breaks off must not look whole.
  stream.on('error', () => (stream.bytesRead === 0 ? socket.end() : socket.destroy()));
  socket.on('close', () => stream.destroy());
  stream.pipe(socket);
}

// A client may close its half as soon as it has asked.
const server = createServer({ allowHalfOpen: true }, (socket) => {
  let line = '';

  function collect(chunk) {
    line += chunk.toString('latin1');
    const end = line.indexOf('\n');
    if (end === -1 && line.length <= longestName) return;
    socket.off('data', collect);
    socket.resume();
    if (end === -1) socket.end();
    else sendFile(socket, Buffer.from(line.slice(0, end), 'latin1').toString().trim());
  }

  socket.on('data', collect);
  socket.on('error', () => socket.destroy());
  socket.on('end', () => {
    if (!line.includes('\n')) socket.end();
  });
});

server.listen(port, '127.0.0.1', () => {
  console.log(`listening on tcp://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => server.close());
