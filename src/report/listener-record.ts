import type { AcceptQueue } from '../native/sockets/accept-queue.js';
import type { OptionOutcome } from '../options/outcome.js';

/** The listeners that share a port (SO_REUSEPORT). */
export interface PortGroupRecord {
  /** Their number at the last count, in all processes. */
  listeners: number;
  /** In the primary of a cluster: accepted connections by worker, named by its process. */
  readonly workers?: Record<string, number>;
  /** The connections of the busiest worker divided by the mean: 1 is even. */
  imbalance?: number;
}

/** The greatest count divided by the mean of all members: 1 is even. Members with no count are 0. */
export function imbalanceOf(counts: readonly number[], members: number): number {
  return (Math.max(...counts) * members) / counts.reduce((sum, count) => sum + count, 0);
}

/** The accept queue of a listener at the last look: in {@link Report}, when the report was made. */
export interface QueueRecord extends AcceptQueue {
  /** The greatest length of all looks. While somebody watches there is a look before the connections of a burst are taken. */
  readonly highest: number;
  /** The setting, or the settings, that make the limit: `net.core.somaxconn`. A greater one makes a longer queue. */
  readonly raise: string;
  /** The listener has been closed since. */
  readonly closed?: true;
}

/** The outcomes of a listener's options, and those of its first accepted socket. */
export interface ListenerRecord {
  /** `127.0.0.1:8080`, `[::]:8080`, a path, or `-` for a cluster worker's share of its primary's listener. */
  address: string;
  readonly outcomes: OptionOutcome[];
  /** Empty until the first connection. */
  accepted: readonly OptionOutcome[];
  connections: number;
  /** Only of a listener that shares its port. */
  group?: PortGroupRecord;
  /** Only of a TCP listener of this process, on Linux. */
  acceptQueue?: QueueRecord;
}

/** A bound on memory, for a process that opens listeners again and again. */
const MOST_RECORDS = 256;

const records: ListenerRecord[] = [];

export function addListenerRecord(record: ListenerRecord): void {
  records.push(record);
  if (records.length > MOST_RECORDS) records.shift();
}

export function listenerRecords(): readonly ListenerRecord[] {
  return records;
}
