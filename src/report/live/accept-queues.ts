import type { Platform } from '../../native/platform.js';
import type { AcceptQueue } from '../../native/sockets/accept-queue.js';
import type { ListenCounters } from '../../native/sockets/netstat.js';
import { now } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { ListenHandle } from '../../node/net.js';
import { type ListenerRecord, listenerRecords } from '../listener-record.js';
import { lookForMeterProvider } from '../metrics/meter-provider.js';

/** Where a record's figures come from. */
interface QueueSource {
  readonly platform: Platform;
  /** Node keeps a handle that listens. A closed one, with its server, is not kept by its record. */
  readonly handle: WeakRef<ListenHandle>;
  /** What the namespace had dropped when the listener began. */
  readonly dropsBefore: number | undefined;
  /** When it was last looked at because of a connection, in milliseconds. */
  lookedAt: number;
}

/** A counter of the kernel: since this process began to listen, and in all. */
export interface CounterRecord {
  readonly since: number;
  readonly total: number;
}

/** What all listeners of this network namespace, also those of other processes, have dropped. */
export interface DropRecord {
  /** Times that a connection found the accept queue full. */
  readonly overflows: CounterRecord;
  /** SYNs and handshakes that were dropped, these included. */
  readonly drops: CounterRecord;
}

const sources = hiddenSlot<ListenerRecord, QueueSource>();

/** The system of the first listener, and its counters at that time. */
let began: { readonly platform: Platform; readonly counters: ListenCounters } | undefined;

let watchers = 0;

/** Connections of a burst are taken in one turn. The first look shows the queue, the later ones only how it is taken. */
const LOOK_PERIOD_MS = 10;

const LIMIT = 'net.core.somaxconn';
const OPTION = 'SOCKET_TUNE_BACKLOG';

/** The name of what makes the limit of a queue. */
function whatToRaise(platform: Platform, { limit }: AcceptQueue, { outcomes }: ListenerRecord): string {
  const own = outcomes.find(({ constant }) => constant === 'listen(2)');
  const isOurs = own?.verdict === 'applied' || own?.verdict === 'clamped';
  const isCapped = platform.limitOf('listen(2)') === `${LIMIT}=${limit}`;
  if (!isCapped) return isOurs ? OPTION : `the backlog of listen() or ${OPTION}`;
  // At the system's limit exactly: a greater one alone would change nothing.
  return isOurs && Number(own.asked) <= limit ? `${LIMIT} and ${OPTION}` : LIMIT;
}

/**
 * What a listener has dropped. Its own counter has the handshake's ACK of every connection as well that TCP_DEFER_ACCEPT holds back
 * (net/ipv4/tcp_minisocks.c `tcp_check_req`), which is no loss. The namespace's counter has not, so that is the most.
 */
function ownDrops({ platform, dropsBefore }: QueueSource, { drops }: AcceptQueue): Pick<AcceptQueue, 'drops'> {
  const all = drops === undefined || drops === 0 ? undefined : platform.listenCounters()?.drops;
  if (drops === undefined || all === undefined || dropsBefore === undefined) return { drops };
  return { drops: Math.min(drops, all - dropsBefore) };
}

/** @param taken connections that were taken from the queue just before */
function look(record: ListenerRecord, taken = 0): void {
  const source = sources.get(record);
  const last = record.acceptQueue;
  if (source === undefined || last?.closed) return;
  const handle = source.handle.deref();
  const queue = handle && source.platform.acceptQueue(handle);
  if (queue !== undefined) {
    const highest = Math.max(queue.length + taken, last?.highest ?? 0);
    const raise = last?.limit === queue.limit ? last.raise : whatToRaise(source.platform, queue, record);
    record.acceptQueue = { ...queue, ...ownDrops(source, queue), highest, raise };
  } else if (last !== undefined) record.acceptQueue = { ...last, length: 0, closed: true };
}

/** Note that a listener listens. What others have dropped before is not counted from here on. */
export function noteListener(platform: Platform, handle: ListenHandle, record: ListenerRecord): void {
  lookForMeterProvider();
  const counters = platform.listenCounters();
  sources.set(record, { platform, handle: new WeakRef(handle), dropsBefore: counters?.drops, lookedAt: 0 });
  if (began === undefined && counters !== undefined) began = { platform, counters };
}

/** Look at a listener's queue now and then when it has accepted a connection, from now on. Returns the undo. */
export function watchQueues(): () => void {
  watchers++;
  return () => {
    watchers--;
  };
}

/** Note that a listener has accepted a connection. Costs next to nothing while nobody watches. */
export function noteAccepted(record: ListenerRecord): void {
  lookForMeterProvider();
  if (watchers === 0) return;
  const source = sources.get(record);
  if (source === undefined) return;
  const at = now();
  // The clock may have been set back.
  if (Math.abs(at - source.lookedAt) < LOOK_PERIOD_MS) return;
  source.lookedAt = at;
  look(record, 1);
}

/** Bring the queues in the records up to date. */
export function lookAtQueues(): void {
  for (const record of listenerRecords()) look(record);
}

/** Undefined before the process listens, and where the system does not tell. */
export function dropRecord(): DropRecord | undefined {
  const counters = began?.platform.listenCounters();
  if (began === undefined || counters === undefined) return undefined;
  const growth = (name: keyof ListenCounters): CounterRecord => ({
    since: counters[name] - (began?.counters[name] ?? 0),
    total: counters[name],
  });
  return { overflows: growth('overflows'), drops: growth('drops') };
}
