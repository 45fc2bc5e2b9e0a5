import type { OptionOutcome } from '../options/outcome.js';

/** What was done to sockets of a kind that has no listener, of which the first is looked at. */
export interface SocketRecord {
  sockets: number;
  /** Of the first; empty before there is one. */
  outcomes: readonly OptionOutcome[];
}

export const outgoingRecord: SocketRecord = { sockets: 0, outcomes: [] };

export const datagramRecord: SocketRecord = { sockets: 0, outcomes: [] };
