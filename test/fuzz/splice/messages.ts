import type { SessionPlan } from './plan.js';

/** Where one socket listens. */
export type Place = number | string;

/** A part of what a sink was given. A range without an end goes on as far as the stream does. */
export type Given = { readonly from: number; to?: number } | { readonly mark: number };

/** What the proxy knows of a line when all of its sockets are closed. */
export interface LineRecord {
  /** By sink: the first one, and those that the stream has moved to. */
  given: Given[][];
  readonly problems: string[];
  bytesRead: number;
  hasEnded: boolean;
  /** How many acts it has come to. */
  acts: number;
}

export type ToProxy =
  | {
      readonly type: 'session';
      readonly number: number;
      readonly plan: SessionPlan;
      /** Where the receivers of each line listen. */
      readonly receivers: readonly (readonly Place[])[];
    }
  | { readonly type: 'finish'; readonly number: number }
  | { readonly type: 'stop' };

export type FromProxy =
  | { readonly type: 'ready'; readonly number: number; readonly places: readonly Place[] }
  | { readonly type: 'finished'; readonly number: number; readonly lines: readonly LineRecord[] };
