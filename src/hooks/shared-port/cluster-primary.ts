import { debug } from '../../diagnostics.js';
import { type ClusterMessage, type ClusterWorker, cluster, type Fork, sendHandle } from '../../node/cluster.js';
import { closeHandle, LISTEN_CHANNEL, type SocketHandle } from '../../node/net.js';
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
import { PortGroup, type PortRequest } from './port-group.js';
import { keepExclusive, sharingOf } from './reuse-port.js';

/** A connection on its way to a worker. */
interface Passed {
  readonly client: SocketHandle;
  readonly shared: SharedPort;
  readonly worker: number;
  /** Workers that have declined it. */
  readonly declined: ReadonlySet<number>;
}

/** A group, and what there is to tell of it. */
interface SharedPort {
  readonly key: string;
  readonly group: PortGroup;
  readonly record: ListenerRecord;
  /** Part of the record. */
  readonly told: PortGroupRecord & { readonly workers: Record<string, number> };
  /** Counts on from worker to worker. */
  turn: number;
}

/** A query for a TCP port, as far as it is one; undefined of what else a worker may ask for (Unix sockets, descriptors, UDP). */
function portRequest(message: ClusterMessage): PortRequest | undefined {
  const { address, port, addressType, fd, flags = 0, backlog } = message;
  if (typeof port !== 'number' || port < 0 || (addressType !== 4 && addressType !== 6)) return undefined;
  if (fd !== undefined && fd !== null) return undefined;
  if (typeof flags !== 'number' || (address !== null && typeof address !== 'string')) return undefined;
  return { address, port, addressType, flags, backlog: typeof backlog === 'number' ? backlog : 0 };
}

/** The listeners of all workers of this process. */
class Primary {
  readonly #context: HookContext;
  readonly #ports = new Map<string, SharedPort>();
  readonly #passed = new Map<string, Passed>();
  #sent = 0;

  constructor(context: HookContext) {
    this.#context = context;
  }

  /** Look at what a worker says before Node does. Returns whether that is all. */
  receive(worker: ClusterWorker, message: ClusterMessage): boolean {
    if (message.cmd !== 'NODE_CLUSTER') return false;
    if (typeof message.ack === 'string') return this.#acknowledge(message.ack, message.accepted === true);
    if (message.act === ACCEPTED) return this.#count(worker, message);
    if (message.act === 'queryServer') return this.#query(worker, message);
    if (message.act === 'close' && typeof message.key === 'string') return this.#close(worker, message.key);
    // It has pinned itself by now, if it does.
    if (message.act === 'listening')
      for (const { group } of this.#ports.values()) if (group.has(worker.id)) group.steer();
    return false;
  }

  /** A worker has gone, and took what it was given with it. */
  forget(worker: ClusterWorker): void {
    for (const { key } of [...this.#ports.values()]) this.#close(worker, key);
    for (const [seq, { client, worker: id }] of this.#passed) {
      if (id !== worker.id) continue;
      // It may have begun to answer, so nobody else can.
      this.#passed.delete(seq);
      closeHandle(client);
    }
  }

  /** A worker tells how many connections it has accepted so far. */
  #count({ process: { pid } }: ClusterWorker, { address, data }: ClusterMessage): boolean {
    const shared = [...this.#ports.values()].find(({ record }) => record.address === address);
    if (shared === undefined || pid === undefined || typeof data !== 'number') return true;
    shared.told.workers[pid] = data;
    const counts = Object.values(shared.told.workers);
    shared.told.imbalance = imbalanceOf(counts, counts.length);
    return true;
  }

  #query(worker: ClusterWorker, message: ClusterMessage): boolean {
    const request = portRequest(message);
    if (request === undefined || worker.exitedAfterDisconnect) return false;
    if (sharingOf(this.#context, request.port) === undefined) return false;
    const shared = this.#port(request, message);
    // It listens there twice, which is the error that Node's own code will find.
    if (shared === undefined || shared.group.has(worker.id)) return false;
    const handle = shared.group.take(worker.id, worker.process.pid);
    if (handle === undefined) return false;
    const { key, group, told } = shared;
    group.data ??= message.data;
    told.listeners = group.size;
    sendHandle(worker, { ack: message.seq, errno: 0, key, data: group.data }, handle, (error) => {
      if (error) debug('worker %d did not get its listener: %s', worker.id, error);
    });
    return true;
  }

  #port(request: PortRequest, { index }: ClusterMessage): SharedPort | undefined {
    const { address, port, addressType, flags } = request;
    const key = `socket-tune:${address}:${port}:${addressType}:${flags}${port === 0 ? `:${index}` : ''}`;
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    const group: PortGroup = new PortGroup(this.#context, request, (client) => this.#pass(key, client));
    if (!group.open()) return undefined;
    const { outcomes, bound } = group;
    const told = { listeners: 0, workers: {} };
    const record: ListenerRecord = { address: bound.address, outcomes, accepted: [], connections: 0, group: told };
    const shared = { key, group, record, told, turn: 0 };
    addListenerRecord(record);
    this.#ports.set(key, shared);
    return shared;
  }

  #close(worker: ClusterWorker, key: string): boolean {
    const shared = this.#ports.get(key);
    if (shared === undefined) return false;
    if (shared.group.leave(worker.id)) this.#ports.delete(key);
    else shared.told.listeners = shared.group.size;
    return true;
  }

  /** Give a connection to a worker, in turn, as Node's round robin does (lib/internal/cluster/round_robin_handle.js). */
  #pass(key: string, client: SocketHandle, declined: ReadonlySet<number> = new Set()): void {
    const shared = this.#ports.get(key);
    // Who is on the way out has a listener until it says that it is closed.
    const candidates = (shared?.group.workers ?? []).flatMap((id) => {
      const candidate = declined.has(id) ? undefined : cluster().workers?.[id];
      return candidate?.isConnected() === true ? candidate : [];
    });
    const worker = shared === undefined ? undefined : candidates[shared.turn++ % candidates.length];
    if (shared === undefined || worker === undefined) return closeHandle(client);
    const seq = `socket-tune:${this.#sent++}`;
    this.#passed.set(seq, { client, shared, worker: worker.id, declined });
    sendHandle(worker, { act: 'newconn', key, seq }, client, (error) => {
      if (error) this.#acknowledge(seq, false);
    });
  }

  #acknowledge(seq: string, accepted: boolean): boolean {
    const passed = this.#passed.get(seq);
    if (passed === undefined) return false;
    this.#passed.delete(seq);
    if (accepted) {
      passed.shared.record.connections++;
      closeHandle(passed.client);
    } else {
      this.#pass(passed.shared.key, passed.client, new Set([...passed.declined, passed.worker]));
    }
    return true;
  }
}

/** Run Node's own code for a query; the servers that it makes for it have their port for themselves. */
function onBehalf(act: () => void): void {
  const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');
  const onListen = (message: unknown): void => {
    if (
      typeof message === 'object' &&
      message !== null &&
      'server' in message &&
      typeof message.server === 'object' &&
      message.server !== null
    )
      keepExclusive(message.server);
  };
  subscribe(LISTEN_CHANNEL, onListen);
  try {
    act();
  } finally {
    unsubscribe(LISTEN_CHANNEL, onListen);
  }
}

/** Have each worker that is forked from now on listen for itself, on listeners that are made here. */
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
          if (message.act === 'queryServer') onBehalf(next);
          else next();
        });
        const forget = (): void => primary.forget(worker);
        worker.process.once('exit', forget);
        worker.process.once('disconnect', forget);
        return worker;
      },
  );
}
