// An app that sends datagrams of 1,200 bytes: node datagrams.js PORT COUNT BURST [connected]. Each turn of its event loop sends a burst.
// Prints the microseconds of CPU of one datagram.

import dgram from 'node:dgram';
import { once } from 'node:events';

const [port = 0, count = 0, burst = 1] = process.argv.slice(2, 5).map(Number);
const isConnected = process.argv[5] === 'connected';
const BYTES = 1200;

/** Datagrams before the measurement: V8 has compiled everything by then. */
const WARM_UP = 30_000;

const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
await once(socket, 'listening');
if (isConnected) {
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
}

const message = Buffer.alloc(BYTES, '.');
let failed = 0;
function told(error: Error | null): void {
  if (error !== null) failed++;
}

async function sendAll(amount: number): Promise<void> {
  for (let sent = 0; sent < amount; sent += burst) {
    for (let index = 0; index < burst; index++) {
      if (isConnected) socket.send(message, told);
      else socket.send(message, port, '127.0.0.1', told);
    }
    await new Promise(setImmediate);
  }
}

await sendAll(WARM_UP);
const before = process.cpuUsage();
await sendAll(count);
const { user, system } = process.cpuUsage(before);
if (failed > 0) throw new Error(`${failed} datagrams failed`);
console.log((user + system) / count);
socket.close();
