/** Totals of this thread since it began. They only grow. */
export interface Counters {
  /** Connections accepted by tuned listeners. */
  connections: number;
  /** Times TCP_QUICKACK was armed again. */
  quickAcks: number;
  /** Pooled connections that were not used again, as the peer had closed them. */
  staleConnections: number;
  /** File streams of which at least one region was sent. */
  reroutedStreams: number;
  sendfileBytes: number;
  /** Bytes of regions that were read and written instead of sent by sendfile(2), by reason. */
  readonly copiedBytes: Map<string, number>;
  /** File streams piped to a socket or response that took the original path, by reason. */
  readonly notRerouted: Map<string, number>;
  truncatedFiles: number;
  /** Connections that Node closed because they were idle; undefined where nobody counts them. */
  idleClosed: number | undefined;
  /** Pairs of sockets of which one is piped to the other, with at least one splice(2) between them. */
  splicedPairs: number;
  splicedBytes: number;
  /** Pairs that moved whole buffers through JavaScript, by reason. */
  readonly notSpliced: Map<string, number>;
  /** Calls of `fs` that were answered without the thread pool, by name. */
  readonly inlineCalls: Map<string, number>;
  /** Those that might have been and were not, by reason. */
  readonly pooledCalls: Map<string, number>;
}

export const counters: Counters = {
  connections: 0,
  quickAcks: 0,
  staleConnections: 0,
  reroutedStreams: 0,
  sendfileBytes: 0,
  copiedBytes: new Map(),
  notRerouted: new Map(),
  truncatedFiles: 0,
  idleClosed: undefined,
  splicedPairs: 0,
  splicedBytes: 0,
  notSpliced: new Map(),
  inlineCalls: new Map(),
  pooledCalls: new Map(),
};

/** Add to a counter that is kept by reason. */
export function count(by: Map<string, number>, reason: string, amount = 1): void {
  by.set(reason, (by.get(reason) ?? 0) + amount);
}
