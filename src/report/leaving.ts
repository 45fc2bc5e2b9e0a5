/** A request that had no answer, or not all of it, when its connection was cut. */
export interface UnansweredRequest {
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** Milliseconds for which it is known to have waited: since the drain began at the earliest. */
  readonly age: number;
}

/** How this thread has taken leave of its clients so far. */
export interface LeavingRecord {
  /** A signal has told the process to end, or the last of its servers has been closed. */
  draining: boolean;
  /** Connections that were cut because the time of a drain was over. */
  cutConnections: number;
  /** Requests on them that had no answer, or not all of it. */
  unanswered: number;
  /** The first {@link MOST_NAMED} of these. */
  readonly unansweredRequests: UnansweredRequest[];
}

const MOST_NAMED = 10;

const LONGEST_PATH = 200;

export const leavingRecord: LeavingRecord = {
  draining: false,
  cutConnections: 0,
  unanswered: 0,
  unansweredRequests: [],
};

/** Count a request that will have no answer, and name the first few. */
export function noteUnanswered(method: string, url: string, age: number): void {
  leavingRecord.unanswered++;
  if (leavingRecord.unansweredRequests.length >= MOST_NAMED) return;
  const [path = ''] = url.split('?', 1);
  leavingRecord.unansweredRequests.push({ method, path: path.slice(0, LONGEST_PATH), age });
}
