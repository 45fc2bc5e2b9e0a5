import type { OptionOutcome } from '../options/outcome.js';

/** Tuned sockets of a kind that has no listener, with the outcomes of the first. */
export interface SocketRecord {
  sockets: number;
  /** Empty until there is a first socket. */
  outcomes: readonly OptionOutcome[];
}

export const outgoingRecord: SocketRecord = { sockets: 0, outcomes: [] };

export const datagramRecord: SocketRecord = { sockets: 0, outcomes: [] };
