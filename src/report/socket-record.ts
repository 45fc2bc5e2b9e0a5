import type { OptionOutcome } from '../options/outcome.js';

/** Tuned sockets of a kind that has no listener, with the outcomes of the first. */
export interface SocketRecord {
  sockets: number;
  /** Empty until there is a first socket. */
  outcomes: readonly OptionOutcome[];
}

export const outgoingRecord: SocketRecord = { sockets: 0, outcomes: [] };

export const datagramRecord: SocketRecord = { sockets: 0, outcomes: [] };

/** UDP datagrams that left together with others. */
export interface BatchRecord {
  datagrams: number;
  /** The calls of sendmsg(2) by which they left. */
  sends: number;
  /** Sockets whose batches the kernel or the route has refused: each of their datagrams leaves by itself. */
  refusedSockets: number;
}

export const batchRecord: BatchRecord = { datagrams: 0, sends: 0, refusedSockets: 0 };
