import type { UnansweredRequest } from './leaving.js';

/** What became of requests, and of the connections that they came by. A figure that nobody counts is absent. */
export interface RequestRecord {
  /** Connections that were closed as nothing had come for the keep-alive time. */
  readonly idleClosed?: number;
  /** Whether the process is on its way out. */
  readonly draining?: boolean;
  /** Connections that were still open when the time of a drain was over. */
  readonly cutConnections?: number;
  /** Requests on these that had no answer, or not all of it. */
  readonly unanswered?: number;
  /** The first of these. */
  readonly unansweredRequests?: readonly UnansweredRequest[];
}
