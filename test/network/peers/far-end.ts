/**
 * The other end. It serves: one port echoes, one acknowledges and never answers, one does not read until it is told to.
 *
 *   node far-end.js serve <own address>
 *
 * Or it visits the app's server: one client has nothing to say, one is sent something, one does not read until it is told to.
 *
 *   node far-end.js visit <app's address> <app's port>
 *
 * SIGUSR2 tells it to read on. It prints what it has got in the end.
 */
import { createHash } from 'node:crypto';
import net, { type Socket } from 'node:net';

const [role = '', address = '', port = ''] = process.argv.slice(2);

/** Sockets that wait for the signal. */
const paused: Socket[] = [];

/** Reads nothing now, and everything later; then it says what it was. */
function readLater(socket: Socket, name: string): void {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.pause();
  paused.push(socket);
  socket.on('data', (data: Buffer) => {
    bytes += data.length;
    hash.update(data);
  });
  socket.once('end', () => {
    console.log(`got ${name} ${bytes} ${hash.digest('hex')}`);
    socket.end();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => console.log(`lost ${name} ${error.code}`));
}

const SERVERS: Readonly<Record<string, (socket: Socket) => void>> = {
  echo: (socket) => void socket.on('error', () => undefined).pipe(socket),
  mute: (socket) => void socket.on('error', () => undefined).resume(),
  shut: (socket) => readLater(socket, 'outgoing'),
};

async function listen(accept: (socket: Socket) => void): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, accept);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return (server.address() as net.AddressInfo).port;
}

async function serve(): Promise<void> {
  const ports: Record<string, number> = {};
  for (const [name, accept] of Object.entries(SERVERS)) ports[name] = await listen(accept);
  console.log(`ports ${JSON.stringify(ports)}`);
}

/** Says which of the app's ways of serving it is for. */
function visit(way: string, onConnected: (socket: Socket) => void): void {
  const socket = net.connect({ port: Number(port), host: address, allowHalfOpen: true }, () => {
    socket.write(`${way}\n`);
    onConnected(socket);
  });
  socket.on('error', () => undefined);
}

process.on('SIGUSR2', () => {
  for (const socket of paused) socket.resume();
});

if (role === 'serve') await serve();
else {
  visit('silent', (socket) => socket.resume());
  visit('talkative', (socket) => socket.resume());
  visit('shut', (socket) => readLater(socket, 'accepted'));
}
