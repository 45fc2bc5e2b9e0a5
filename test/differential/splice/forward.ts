import { connect, type Socket } from 'node:net';
import { ownStats } from './own-stats.js';

/** What a process that forwards a socket has seen. */
export interface Told {
  readonly events: readonly string[];
  readonly spliced: number;
}

const stats = ownStats();

/** Pipes a socket to a connection to `port`. `tell` is called once both are closed. */
export function forward(source: Socket, port: number, tell: (told: Told) => void): void {
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
    setImmediate(() => tell({ events: events.sort(), spliced: stats?.().splices.bytes ?? 0 }));
  });
}
