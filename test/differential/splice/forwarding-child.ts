/**
 * A child process that forwards one socket, which it got from its parent by a message, or as descriptor 4. It tells what it has seen. With its
 * parent it shares the way in which the package is loaded.
 */
import { connect, Socket } from 'node:net';
import { ownStats } from './own-stats.js';

/** What the parent says; the socket comes with it, if it does not come as a descriptor. */
export interface Order {
  readonly port: number;
  readonly comesBy: 'message' | 'descriptor';
}

export interface Told {
  readonly events: readonly string[];
  readonly spliced: number;
}

const stats = ownStats();

process.once('message', ({ port, comesBy }: Order, sent: Socket | undefined) => {
  const source = comesBy === 'message' ? sent : new Socket({ fd: 4, readable: true, writable: true });
  if (source === undefined) throw new Error('no socket came');
  const sink = connect(port, '127.0.0.1');
  const events: string[] = [];
  for (const [who, socket] of Object.entries({ source, sink })) {
    for (const event of ['end', 'finish', 'error', 'close']) {
      socket.on(event, () => events.push(`${who} ${event}, read ${socket.bytesRead}, written ${socket.bytesWritten}`));
    }
  }
  source.pipe(sink);
  sink.once('close', () => {
    source.destroy();
    setImmediate(() => {
      const told: Told = { events: events.sort(), spliced: stats?.().splices.bytes ?? 0 };
      process.send?.(told, () => process.disconnect());
    });
  });
});
process.send?.('ready');
