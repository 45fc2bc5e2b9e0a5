import type { InlineAnswer } from '../../node/bindings.js';
import { count, counters } from '../../report/counters.js';

/** Why a call is left to the thread pool. Each reason is counted and shown by the report. */
export type PoolReason =
  /** A path that is a Buffer, BigInt values, a flag other than reading, an encoding other than utf8, memory that is shared. */
  | 'other-arguments'
  /** The kernel would have to ask a disk, a server or another process where the path leads. */
  | 'not-cached'
  | 'not-resident'
  /** The kernel does not tell: a file of an overlay that the process neither owns nor may write. */
  | 'residency-unknown'
  | 'unknown-filesystem'
  | 'not-a-regular-file'
  | 'large-file'
  | 'large-read'
  /** It was not opened for reading alone. */
  | 'open-for-writing'
  /** A read of Node's own from the same descriptor is under way. */
  | 'used-by-pool'
  /** The pool has a call that changes files, which came before. */
  | 'changes-under-way'
  /** Enough was answered inline in this turn of the event loop. */
  | 'turn-is-full'
  /** Node's own call reports the error. */
  | 'error'
  /** There are no native calls here. */
  | 'no-calls';

/** What a call has come to, or why it is left to the thread pool. */
export type Answer = InlineAnswer | PoolReason;

export function isAnswered(answer: Answer): answer is InlineAnswer {
  return typeof answer !== 'string';
}

/** The answer for whoever hands it over, if there is one. It is counted. */
export function counted(name: string, answer: Answer): InlineAnswer | undefined {
  if (isAnswered(answer)) {
    count(counters.inlineCalls, name);
    return answer;
  }
  count(counters.pooledCalls, answer);
  return undefined;
}
