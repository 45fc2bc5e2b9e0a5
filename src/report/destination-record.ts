/** Connections that this process has opened, or tried to, to one place. */
export interface DestinationRecord {
  /** Host (as the app named it, else the address) and port: `db.internal:5432`, `[::1]:80`; the path of a Unix socket. */
  readonly destination: string;
  open: number;
  opened: number;
  failed: number;
  /** Sum of the times of `opened`, in milliseconds. */
  connectTime: number;
  /** Connections ended because the peer was dead. */
  dead: number;
  /** Pooled connections that were dropped because the peer had closed them. */
  stale: number;
}

/** A bound on memory. Destinations beyond it are summed in one record. */
const MOST_RECORDS = 1000;

/** The name of that record. */
export const OTHERS = 'others';

const records = new Map<string, DestinationRecord>();

/** In the order in which the process came to them. */
export function destinationRecords(): DestinationRecord[] {
  return [...records.values()];
}

function recordOf(destination: string): DestinationRecord {
  const known = records.get(destination);
  if (known !== undefined) return known;
  if (records.size >= MOST_RECORDS && destination !== OTHERS) return recordOf(OTHERS);
  const record = { destination, open: 0, opened: 0, failed: 0, connectTime: 0, dead: 0, stale: 0 };
  records.set(destination, record);
  return record;
}

/** The record of a host and its port. It is made where there is none. */
export function destinationOf(host: string, port: number): DestinationRecord {
  return recordOf(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}
