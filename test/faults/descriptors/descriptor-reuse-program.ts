/**
 * Over and over, destroys a file stream while its bytes are on their way, gives its descriptor's number to another file, and
 * looks at what the client receives. Prints what it has counted.
 *
 *   node [--import socket-tune/register] descriptor-reuse-program.js <file> <another file> <path of a socket> <times>
 */
import { closeSync, createReadStream, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { open, pause } from '../talk.js';

const [file = '', other = '', path = '', times = '0'] = process.argv.slice(2);
const expected = readFileSync(file);
const counts = { runs: 0, reused: 0, foreign: 0, descriptors: 0 };
let onDestroyed: (marked: number[]) => void = () => undefined;

const server = createServer((socket) => {
  const stream = createReadStream(file);
  let fd = -1;
  stream.on('open', (opened: number) => {
    fd = opened;
  });
  stream.on('close', () => {
    const marked = Array.from({ length: 3 }, () => openSync(other, 'r'));
    if (marked.includes(fd)) counts.reused++;
    socket.end();
    onDestroyed(marked);
  });
  stream.pipe(socket, { end: false });
  // The socket takes some bytes, and waits, as nobody reads.
  const destroy = (): void => {
    if (socket.writableLength > 0) stream.destroy();
    else setImmediate(destroy);
  };
  setImmediate(destroy);
});

function once(): Promise<void> {
  const client = open(path);
  const chunks: Buffer[] = [];
  let release: number[] = [];
  client.pause();
  onDestroyed = (marked) => {
    release = marked;
    client.resume();
  };
  client.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    client.once('close', () => {
      const bytes = Buffer.concat(chunks);
      counts.runs++;
      if (!expected.subarray(0, bytes.length).equals(bytes)) counts.foreign++;
      for (const fd of release) closeSync(fd);
      resolve();
    });
  });
}

server.listen(path, async () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  await once();
  await pause(100);
  const before = descriptors();
  while (counts.runs < Number(times)) await once();
  await pause(100);
  counts.descriptors = descriptors() - before;
  console.log(JSON.stringify(counts));
  server.close();
});
