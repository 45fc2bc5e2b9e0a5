import { once } from 'node:events';
import { connect } from 'node:net';

/** Write a text to a server and take what it sends until the connection ends. */
export function roundTrip(port: number, text: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** Asks for something, and leaves when the answer has begun. */
export async function breakOff(port: number, text: string, end: 'destroy' | 'resetAndDestroy'): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  await once(socket, 'data');
  socket[end]();
  await once(socket, 'close');
}
