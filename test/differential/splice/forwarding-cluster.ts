/**
 * A cluster of one worker that forwards one connection of its port to the port that its parent has given, and tells what it has seen. Which
 * process accepts the connection depends on NODE_CLUSTER_SCHED_POLICY. The primary passes on what both say.
 */
import cluster from 'node:cluster';
import { createServer } from 'node:net';
import { portOf } from '../../support/sockets/socket-pair.js';
import { forward } from './forward.js';

if (cluster.isPrimary) {
  process.once('message', (port: number) => {
    const worker = cluster.fork();
    worker.once('message', () => {
      worker.send(port);
      worker.on('message', (message) => process.send?.(message));
    });
    worker.on('exit', () => process.disconnect());
  });
} else {
  process.once('message', (port: number) => {
    const server = createServer((source) => {
      server.close();
      forward(source, port, (told) => process.send?.(told, () => process.disconnect()));
    });
    server.listen(0, '127.0.0.1', () => process.send?.(portOf(server)));
  });
  process.send?.('ready');
}
