import { debug } from '../../diagnostics.js';
import { type ClusterMessage, type ClusterWorker, cluster, type Fork, sendHandle } from '../../node/cluster.js';
import { aroundMessages } from '../../node/patch/cluster.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import {
  addListenerRecord,
  imbalanceOf,
  type ListenerRecord,
  type PortGroupRecord,
} from '../../report/listener-record.js';
import type { HookContext } from '../context.js';
import { ACCEPTED } from './accepted-count.js';
import { Handoff, type HandoffGroup } from './handoff.js';
import { PortGroup, type PortRequest } from './port-group.js';
import { sharingOf, withoutSharing } from './reuse-port.js';

/** Have the primary make the listeners of all workers that it forks from now on. */
export function patchPrimary(context: HookContext): Undo {
  const primary = new Primary(context);
  return replaceMethod<Fork>(
    cluster(),
    'fork',
    (original) =>
      function (this: unknown, env) {
        const worker = original.call(this, { ...env, ...context.primaryMark });
        aroundMessages(worker.process, (message, next) => {
          if (primary.receive(worker, message)) return;
          // Node's own code binds one listener for all workers, and must fail if another process has the port.
          if (message.act === 'queryServer') withoutSharing(next);
          else next();
        });
        const forget = (): void => primary.forget(worker);
        worker.process.once('exit', forget);
        worker.process.once('disconnect', forget);
        return worker;
      },
  );
}

/** The listeners of all workers of this process. */
class Primary {
  readonly #context: HookContext;
  readonly #groups = new Map<string, ReportedGroup>();
  readonly #handoff = new Handoff((key) => this.#groups.get(key));

  constructor(context: HookContext) {
    this.#context = context;
  }

  /** A message of a worker, ahead of Node's own receiver. Returns whether it ends here. */
  receive(worker: ClusterWorker, message: ClusterMessage): boolean {
    const { cmd, ack, act, key } = message;
    if (cmd !== 'NODE_CLUSTER') return false;
    if (typeof ack === 'string') return this.#handoff.settle(ack, message.accepted === true);
    if (act === 'queryServer') return this.#answer(worker, message);
    if (act === 'listening') return this.#steer(worker);
    if (act === 'close') return typeof key === 'string' && this.#close(worker, key);
    if (act === ACCEPTED) return this.#count(worker, message);
    return false;
  }

  /** A worker has gone, with its listeners and connections. */
  forget(worker: ClusterWorker): void {
    for (const key of [...this.#groups.keys()]) this.#close(worker, key);
    this.#handoff.forget(worker.id);
  }

  /** Answer a worker's query with a listener of its own. Returns false if Node's own code is to answer. */
  #answer(worker: ClusterWorker, message: ClusterMessage): boolean {
    const request = portRequest(message);
    if (request === undefined || worker.exitedAfterDisconnect) return false;
    if (sharingOf(this.#context, request.port) === undefined) return false;
    const key = groupKey(request, message.index);
    const known = this.#groups.get(key) ?? this.#open(key, request);
    // A worker that listens twice gets EADDRINUSE from Node's own code.
    if (known === undefined || known.group.has(worker.id)) return false;
    const { group, report } = known;
    const handle = group.take({ id: worker.id, pid: worker.process.pid });
    if (handle === undefined) return false;
    group.data ??= message.data;
    report.listeners = group.size;
    sendHandle(worker, { ack: message.seq, errno: 0, key, data: group.data }, handle, (error) => {
      if (error) debug('worker %d did not get its listener: %s', worker.id, error);
    });
    return true;
  }

  #open(key: string, request: PortRequest): ReportedGroup | undefined {
    const group = new PortGroup(this.#context, request, (client) => this.#handoff.send(key, client));
    if (!group.open()) return undefined;
    const reported = new ReportedGroup(group);
    addListenerRecord(reported.record);
    this.#groups.set(key, reported);
    return reported;
  }

  /** A worker listens, and so has set its CPU affinity, if it does. */
  #steer(worker: ClusterWorker): boolean {
    for (const { group } of this.#groups.values()) if (group.has(worker.id)) group.steer();
    return false;
  }

  /** A worker has closed a listener. Returns whether it was one of ours. */
  #close(worker: ClusterWorker, key: string): boolean {
    const known = this.#groups.get(key);
    if (known === undefined) return false;
    if (known.group.leave(worker.id)) this.#groups.delete(key);
    else known.report.listeners = known.group.size;
    return true;
  }

  /** A worker reports how many connections it has accepted so far. */
  #count({ process: { pid } }: ClusterWorker, { address, data }: ClusterMessage): boolean {
    const known = [...this.#groups.values()].find(({ record }) => record.address === address);
    if (known === undefined || pid === undefined || typeof data !== 'number') return true;
    const { workers } = known.report;
    workers[pid] = data;
    const counts = Object.values(workers);
    known.report.imbalance = imbalanceOf(counts, counts.length);
    return true;
  }
}

/** A group with its record in the report. */
class ReportedGroup implements HandoffGroup {
  readonly group: PortGroup;
  readonly record: ListenerRecord;
  /** Part of the record. */
  readonly report: PortGroupRecord & { readonly workers: Record<string, number> } = { listeners: 0, workers: {} };
  turn = 0;

  constructor(group: PortGroup) {
    const { outcomes, bound } = group;
    this.group = group;
    this.record = { address: bound.address, outcomes, accepted: [], connections: 0, group: this.report };
  }

  get workers(): readonly number[] {
    return this.group.workers;
  }

  onAccepted(): void {
    this.record.connections++;
  }
}

/** lib/net.js `setupListenHandle`. */
const DEFAULT_BACKLOG = 511;

/** A worker's query for a TCP port; undefined of other queries (Unix sockets, descriptors, UDP). */
function portRequest(message: ClusterMessage): PortRequest | undefined {
  const { address, port, addressType, fd, flags = 0, backlog } = message;
  if (typeof port !== 'number' || port < 0 || (addressType !== 4 && addressType !== 6)) return undefined;
  if (fd !== undefined && fd !== null) return undefined;
  if (typeof flags !== 'number' || (address !== null && typeof address !== 'string')) return undefined;
  const length = typeof backlog === 'number' ? backlog : 0;
  return { address, port, addressType, flags, backlog: length || DEFAULT_BACKLOG };
}

/** Workers with the same key share a group. Of port 0, each listen() of the app's code has a group, by its index. */
function groupKey({ address, port, addressType, flags }: PortRequest, index: unknown): string {
  return `socket-tune:${address}:${port}:${addressType}:${flags}${port === 0 ? `:${index}` : ''}`;
}
