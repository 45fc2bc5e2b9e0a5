/** What came of a scenario, on both sides; only what two runs of stock Node share is written down. */
export interface Outcome {
  /** What the app saw when it changed its mind. */
  seen?: { readonly bytesRead: number; readonly headersSent: boolean; readonly hasSent: boolean };
  /** Whether something was sent while the stream was paused. */
  sentWhilePaused?: boolean;
  /** What the change of mind threw, and what came to 'uncaughtException'. */
  readonly errors: string[];
  /** Events of the stream and of its destination, each in their order. */
  readonly stream: string[];
  readonly destination: string[];
  /** What pipeline() said in the end, whose turn among the destination's events is a matter of luck. */
  pipeline?: string;
  /** What another consumer of the stream had. */
  other?: string;
  /** Status line and headers. */
  head?: readonly string[];
  body?: string;
  /** The client was still waiting when it was given up. */
  hangs?: true;
}

export function newOutcome(): Outcome {
  return { errors: [], stream: [], destination: [] };
}
