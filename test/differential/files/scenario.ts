import type { Reason } from '../../../src/hooks/files/eligibility.js';
import type { Witness } from '../harness/recorder.js';

/** How the files of a case must travel when it runs under the preload. */
export type Travel =
  /** Every byte of that many streams is sent as a region. */
  | { readonly rerouted: number }
  /** No region is made, for these reasons: how many streams had each. */
  | { readonly original: Readonly<Partial<Record<Reason, number>>> }
  /** Some streams begin as regions and go on as chunks, or the other way round. */
  | { readonly mixed: Readonly<Partial<Record<Reason, number>>> };

/** A program that runs stock and tuned, and must see the same. */
export interface Case {
  readonly travel: Travel;
  /** Emitters whose events come from the thread pool or the network, so that only their own order is compared. */
  readonly loose?: readonly string[];
  /** The client may ask again before the server has seen its last response's end: only each one's own order is compared. */
  readonly areRequestsIndependent?: true;
  /** Values that depend on how much was under way when something was broken off, which no two runs share. */
  readonly varying?: readonly string[];
  /** It opens so many sockets over TCP: it is run with those tuned as well. */
  readonly opens?: number;
  run(witness: Witness): Promise<void>;
}

export type Cases = Readonly<Record<string, Case>>;
