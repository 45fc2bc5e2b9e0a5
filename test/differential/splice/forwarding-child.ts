/**
 * A child process that forwards one socket, which it got from its parent by a message, or as descriptor 4. It tells what it has seen. With its
 * parent it shares the way in which the package is loaded.
 */
import { Socket } from 'node:net';
import { forward } from './forward.js';

/** What the parent says; the socket comes with it, if it does not come as a descriptor. */
export interface Order {
  readonly port: number;
  readonly comesBy: 'message' | 'descriptor';
}

process.once('message', ({ port, comesBy }: Order, sent: Socket | undefined) => {
  const source = comesBy === 'message' ? sent : new Socket({ fd: 4, readable: true, writable: true });
  if (source === undefined) throw new Error('no socket came');
  forward(source, port, (told) => process.send?.(told, () => process.disconnect()));
});
process.send?.('ready');
