/** The connections that this thread has opened to one destination. The counts only grow, but for `open`. */
export interface DestinationRecord {
  /** Host (as the app named it, else the address) and port: `db.internal:5432`, `[::1]:80`; the path of a Unix socket. */
  readonly destination: string;
  open: number;
  opened: number;
  /** Attempts in vain. A name may have several addresses, and each that is tried counts. */
  failed: number;
  /** Sum of the times of `opened`, in milliseconds. */
  connectTime: number;
  /** Connections ended because the peer was dead. */
  dead: number;
  /** Pooled connections that were dropped because the peer had closed them. */
  stale: number;
}

/** A bound on memory, for a crawler. */
const MOST_RECORDS = 1000;

/** The name under which all further destinations are summed. */
const OTHERS = 'others';

const records: DestinationRecord[] = [];

/** By host, and then by port: a connection makes no text. */
const byHost = new Map<string, Map<number, DestinationRecord>>();

let others: DestinationRecord | undefined;

function makeRecord(destination: string): DestinationRecord {
  return { destination, open: 0, opened: 0, failed: 0, connectTime: 0, dead: 0, stale: 0 };
}

function nameOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** All destinations, in the order of their first connections. At most 1,000: what is beyond is summed under `others`. */
export function destinationRecords(): DestinationRecord[] {
  return others === undefined ? [...records] : [...records, others];
}

/** The record of a destination, which is made where there is none. */
export function destinationOf(host: string, port: number): DestinationRecord {
  const known = byHost.get(host)?.get(port);
  if (known !== undefined) return known;
  if (records.length >= MOST_RECORDS) {
    others ??= makeRecord(OTHERS);
    return others;
  }
  const made = makeRecord(nameOf(host, port));
  records.push(made);
  const ports = byHost.get(host);
  if (ports === undefined) byHost.set(host, new Map([[port, made]]));
  else ports.set(port, made);
  return made;
}
