import { EventEmitter } from 'node:events';
import { type ClusterMessage, type ClusterWorker, cluster } from '../../../src/node/cluster.js';
import type { SocketHandle } from '../../../src/node/net.js';

/** What was sent to a worker. */
export interface SentMessage {
  readonly message: ClusterMessage & { readonly errno?: unknown };
  readonly handle: SocketHandle;
  /** Tell the sender whether it has arrived. */
  readonly done: (error: Error | null) => void;
}

/** A worker of a cluster without a process. */
export interface FakeWorker {
  readonly worker: ClusterWorker;
  readonly sent: SentMessage[];
  /** What Node's own receiver in the primary has got. */
  readonly received: ClusterMessage[];
  isConnected: boolean;
  exitedAfterDisconnect: boolean;
  /** Say something to the primary. */
  say(message: ClusterMessage): void;
  exit(): void;
}

/** A worker as the cluster's primary has it, known to the cluster until it exits. */
export function fakeWorker(id: number, pid = 100_000 + id): FakeWorker {
  const sent: SentMessage[] = [];
  const received: ClusterMessage[] = [];
  const child = Object.assign(new EventEmitter(), {
    pid,
    send(message: SentMessage['message'], handle: SocketHandle, _options: unknown, done: SentMessage['done']) {
      sent.push({ message, handle, done });
      return true;
    },
  });
  child.on('internalMessage', function onInternalMessage(message: ClusterMessage) {
    received.push(message);
  });
  const workers = (cluster().workers ?? {}) as Record<number, unknown>;
  const fake: FakeWorker = {
    worker: {
      id,
      process: child,
      isConnected: () => fake.isConnected,
      get exitedAfterDisconnect() {
        return fake.exitedAfterDisconnect;
      },
    } as unknown as ClusterWorker,
    sent,
    received,
    isConnected: true,
    exitedAfterDisconnect: false,
    say: (message) => void child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ...message }),
    exit() {
      delete workers[id];
      child.emit('exit');
    },
  };
  workers[id] = fake.worker;
  return fake;
}
