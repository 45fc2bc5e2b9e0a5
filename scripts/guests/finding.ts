/** What a guest tells of one Node. The program inside writes it, the host judges it. Types only: both sides import this file. */

/** A line of the guest's console that begins so holds a {@link Finding}, as JSON. */
export type Mark = 'guest-finding:';

export interface Verdicts {
  /** Status of `socket-tune verify`: 0, or 1 if the kernel refused an option. */
  readonly status: number;
  /** How many options, each on each kind of socket, by verdict. */
  readonly counts: Readonly<Record<string, number>>;
  /** Options that this kernel does not have, by their names in the headers. */
  readonly unsupported: readonly string[];
  /** Options that the kernel refused, with its error. */
  readonly refused: readonly string[];
  /** What the command printed if it was no list of verdicts. */
  readonly failure?: string;
}

/** Files that were fetched from one directory, and how their bytes went. */
export interface FileRound {
  readonly round: 'warm' | 'cold';
  readonly filesystem: string;
  /** Answers, and those whose status, length and SHA-256 were the file's. */
  readonly answers: number;
  readonly correct: number;
  readonly bytes: number;
  readonly sendfileBytes: number;
  /** Bytes of ours that were copied, by reason. */
  readonly copiedBytes: Readonly<Record<string, number>>;
  /** Streams that Node sent by itself, by reason. */
  readonly notRerouted: Readonly<Record<string, number>>;
  /** Calls of `fs` without the thread pool. */
  readonly inlineCalls: number;
  /** Calls of `fs` that took the thread pool, by reason. */
  readonly pooledCalls: Readonly<Record<string, number>>;
}

/** How a connection ended whose peer answers nothing any more. */
export interface DeadPeer {
  /** SOCKET_TUNE_DEAD_PEER, in seconds. */
  readonly asked: number;
  /** Seconds from the peer's silence to the end. Undefined: it did not end while the guest waited. */
  readonly seconds?: number;
  /** The error's code in the app. */
  readonly code?: string;
}

export interface Finding {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  /** Bytes. Undefined where the system does not tell. */
  readonly pageSize?: number;
  readonly verify: Verdicts;
  readonly rounds: readonly FileRound[];
  /** Absent where no socket filter can silence a peer. */
  readonly deadPeer?: DeadPeer;
  /** The app's end: its status, or the signal. */
  readonly status: number | string;
  /** What the app, under the preload, wrote to standard error. */
  readonly stderr: string;
}
