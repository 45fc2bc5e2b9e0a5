import { type ClusterWorker, cluster, sendHandle } from '../../node/cluster.js';
import { closeHandle, type SocketHandle } from '../../node/net.js';

/** The workers that may get a connection. */
export interface HandoffGroup {
  /** By their ids. */
  readonly workers: readonly number[];
  /** How many connections were sent: the next worker follows from it. */
  turn: number;
  /** Called when a worker has taken a connection. */
  onAccepted(): void;
}

/** A connection that was sent to a worker, which has not answered yet. */
interface SentConnection {
  readonly client: SocketHandle;
  readonly key: string;
  readonly group: HandoffGroup;
  readonly worker: number;
  /** Workers that have declined it. */
  readonly declined: ReadonlySet<number>;
}

/**
 * Sends connections that the primary has accepted to workers in turn, as Node's round robin does
 * (lib/internal/cluster/round_robin_handle.js).
 */
export class Handoff {
  readonly #groupOf: (key: string) => HandoffGroup | undefined;
  /** By the `seq` of their messages. */
  readonly #sent = new Map<string, SentConnection>();
  #messages = 0;

  /** @param groupOf finds the group of a key that is open now */
  constructor(groupOf: (key: string) => HandoffGroup | undefined) {
    this.#groupOf = groupOf;
  }

  /** Send a connection to the next worker, or close it if there is none. */
  send(key: string, client: SocketHandle, declined: ReadonlySet<number> = new Set()): void {
    const group = this.#groupOf(key);
    const worker = group && nextWorker(group, declined);
    if (group === undefined || worker === undefined) return closeHandle(client);
    const seq = `socket-tune:${this.#messages++}`;
    this.#sent.set(seq, { client, key, group, worker: worker.id, declined });
    sendHandle(worker, { act: 'newconn', key, seq }, client, (error) => {
      if (error) this.settle(seq, false);
    });
  }

  /** A worker answers. Returns whether it is the answer to a message of ours. */
  settle(seq: string, isAccepted: boolean): boolean {
    const sent = this.#sent.get(seq);
    if (sent === undefined) return false;
    this.#sent.delete(seq);
    if (isAccepted) {
      sent.group.onAccepted();
      closeHandle(sent.client);
    } else {
      this.send(sent.key, sent.client, new Set([...sent.declined, sent.worker]));
    }
    return true;
  }

  /** A worker has gone. It may have begun to answer its connections, so no other worker can. */
  forget(worker: number): void {
    for (const [seq, sent] of this.#sent) {
      if (sent.worker !== worker) continue;
      this.#sent.delete(seq);
      closeHandle(sent.client);
    }
  }
}

/** Undefined if no worker is left. */
function nextWorker(group: HandoffGroup, declined: ReadonlySet<number>): ClusterWorker | undefined {
  // A worker that disconnects has its listener until it says that it is closed.
  const candidates = group.workers.flatMap((id) => {
    const worker = declined.has(id) ? undefined : cluster().workers?.[id];
    return worker?.isConnected() === true ? worker : [];
  });
  return candidates[group.turn++ % candidates.length];
}
