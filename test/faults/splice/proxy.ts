/**
 * A proxy as people write it, which knows nothing of socket-tune: everything that a client sends goes to the target, and back. It listens on
 * a port and on a path, and answers a line on a second port with what it says of itself.
 *
 *   node [--import socket-tune/register] proxy.js <directory for Unix sockets> <target: a port, or a path>
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { kernelPipes } from '../../support/test-run/descriptors.js';
import type { ProxyState } from './proxied.js';

const [directory = '.', target = ''] = process.argv.slice(2);
let connections = 0;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function forward(client: Socket): void {
  connections++;
  const upstream = /^\d+$/.test(target) ? connect(Number(target), '127.0.0.1') : connect(target);
  client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
  upstream.on('error', () => client.destroy()).on('close', () => client.destroySoon());
  client.pipe(upstream);
  upstream.pipe(client);
}

function state(): ProxyState {
  collectGarbage();
  collectGarbage();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external } = process.memoryUsage();
  const fds = readdirSync('/proc/self/fd').length;
  return { fds, kernelPipes: kernelPipes(), heapUsed, external, cpu: (user + system) / 1e3, connections };
}

const front = createServer(forward).listen(0, '127.0.0.1');
const path = createServer(forward).listen(join(directory, 'front'));
const control = createServer((socket) => {
  socket.once('data', (line) => {
    if (line.toString() === 'exit\n') process.exit();
    socket.end(JSON.stringify(state()));
  });
}).listen(0, '127.0.0.1');
await Promise.all([front, path, control].map((server) => once(server, 'listening')));
console.log(`ports ${(front.address() as AddressInfo).port} ${(control.address() as AddressInfo).port}`);
