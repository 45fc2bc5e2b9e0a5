/**
 * An app with connections of every kind to one other machine, that says how each ends.
 *
 *   node [--import socket-tune/register] near-end.js <own address> <its address> <its ports, as JSON>
 *
 * It prints the port of its server, which the other end is to visit. SIGUSR2 tells it that the peer is dead: what is to
 * be sent to a dead peer is sent then.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import net, { type Socket } from 'node:net';

const [own = '', host = '', ports = '{}'] = process.argv.slice(2);

/** More than the socket's buffers at both ends hold. */
const PIECE = Buffer.alloc(1 << 20, 'all that is to come');
const PIECES = 24;

let cutAt = Number.NaN;

function tell(name: string, error: unknown): void {
  const { code, syscall, errno, message } = error as NodeJS.ErrnoException;
  const milliseconds = performance.now() - cutAt;
  console.log(`end ${JSON.stringify({ name, code, syscall, errno, message, milliseconds })}`);
}

function told(name: string, socket: Socket): Socket {
  return socket.on('error', (error) => tell(name, error));
}

/** Sends more than the peer takes while its window is shut. */
function sendAll(name: string, socket: Socket): void {
  const hash = createHash('sha256');
  for (let piece = 0; piece < PIECES; piece++) {
    hash.update(PIECE);
    socket.write(PIECE);
  }
  socket.end();
  console.log(`sent ${name} ${PIECE.length * PIECES} ${hash.digest('hex')}`);
}

const WAYS: Readonly<Record<string, (socket: Socket) => void>> = {
  silent: (socket) => void told('accepted, idle', socket),
  talkative(socket) {
    told('accepted, unacknowledged', socket);
    process.once('SIGUSR2', () => socket.write('too late'));
  },
  shut: (socket) => sendAll('accepted', told('accepted, shut', socket)),
};

let visitors = 0;
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.once('data', (way) => {
    WAYS[String(way).trim()]?.(socket);
    if (++visitors === Object.keys(WAYS).length) console.log('visited');
  });
});
server.listen(0, own);

function connected(port: number | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port: port ?? 0, host }, () => resolve(socket)).once('error', reject);
  });
}

process.once('SIGUSR2', () => {
  cutAt = performance.now();
});

const { echo, mute, shut }: Readonly<Record<string, number>> = JSON.parse(ports);
told('outgoing, idle', await connected(echo)).resume();
const unacknowledged = told('outgoing, unacknowledged', await connected(echo)).resume();
process.once('SIGUSR2', () => unacknowledged.write('too late'));
told('outgoing, waiting', await connected(mute))
  .resume()
  .write('a question');
const agent = new http.Agent({ keepAlive: true });
http.get({ host, port: mute, agent }).on('error', (error) => tell('http.Agent, waiting', error));
fetch(`http://${host}:${mute}/`).catch((error: Error) => tell('fetch, waiting', error.cause));
sendAll('outgoing', told('outgoing, shut', await connected(shut)));
console.log(`port ${(server.address() as net.AddressInfo).port}`);
