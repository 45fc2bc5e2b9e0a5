import type { Stop } from '../run/app-process.js';
import type { SessionPlan } from './plan.js';

/** Where one socket listens. */
export type Place = number | string;

/** A part of what a sink was given. A range without an end goes on as far as the stream does. */
export type Given = { readonly from: number; to?: number } | { readonly mark: number };

/** What the proxy knows of a line when all of its sockets are closed. */
export interface LineRecord {
  /** Sinks that were connected. Their receivers may not know of them yet: the kernel connects them before they are accepted. */
  connected: number;
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
  /** It hangs: close its sockets, and tell what is known. */
  | { readonly type: 'abandon'; readonly number: number; readonly line: number }
  | Stop;

export type FromProxy =
  | { readonly type: 'ready'; readonly number: number; readonly places: readonly Place[] }
  /** Its sockets are closed, and it opens no more. */
  | { readonly type: 'closed'; readonly number: number; readonly line: number; readonly record: LineRecord };
