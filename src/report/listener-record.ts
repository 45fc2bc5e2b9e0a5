import type { OptionOutcome } from '../options/outcome.js';

/** The listeners that share a port (SO_REUSEPORT). */
export interface PortGroupRecord {
  /** How many there were when last looked at, of all processes. */
  listeners: number;
  /** In the primary of a cluster: connections that each worker has accepted, by its process. */
  readonly workers?: Record<string, number>;
  /** Those of the busiest worker over the mean of all: 1 is even. */
  imbalance?: number;
}

/** The busiest of some over the mean of as many as there are: 1 is even. */
export function imbalanceOf(counts: readonly number[], members: number): number {
  return (Math.max(...counts) * members) / counts.reduce((sum, count) => sum + count, 0);
}

/** What was done to one listener, and what its first accepted socket turned out to have. */
export interface ListenerRecord {
  /** `127.0.0.1:8080`, `[::]:8080`, a path, or `-` for a cluster worker's share of its primary's listener. */
  address: string;
  readonly outcomes: OptionOutcome[];
  /** Empty until the first connection. */
  accepted: readonly OptionOutcome[];
  connections: number;
  /** Of a listener that shares its port. */
  group?: PortGroupRecord;
}

/** A process that opens listeners without end must not collect their records without end. */
const MOST_RECORDS = 256;

const records: ListenerRecord[] = [];

export function addListenerRecord(record: ListenerRecord): void {
  records.push(record);
  if (records.length > MOST_RECORDS) records.shift();
}

export function listenerRecords(): readonly ListenerRecord[] {
  return records;
}
