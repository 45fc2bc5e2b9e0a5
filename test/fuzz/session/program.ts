/** What a session does, as JSON. Both sides read it, and so do people who look for a fault. */
export interface Session {
  readonly protocol: 'raw' | 'http';
  readonly transport: 'tcp' | 'unix';
  /** Files of the session's directory, named by their index. */
  readonly files: readonly FileContent[];
  /** They are served at the same time. */
  readonly connections: readonly Connection[];
}

/** Bytes by the numbers that they are made from. */
export interface Content {
  readonly size: number;
  readonly seed: number;
}

export type FileContent = Content;

export interface Connection {
  readonly reader: Reader;
  /** SO_SNDBUF of the server's socket. */
  readonly sendBuffer?: number;
  readonly noDelay?: true;
  /** All requests are sent at once. Otherwise each waits for the response before it. */
  readonly isPipelined: boolean;
  /** Who ends a connection that is kept alive. */
  readonly endedBy: 'server' | 'client';
  /** One for each response; a raw connection has one. */
  readonly exchanges: readonly Exchange[];
}

/** How the client reads. */
export interface Reader {
  /** When the server stalls, because nobody reads, or is through. */
  readonly starts: 'at once' | 'when the server stalls';
  /** SO_RCVBUF of the client's socket. */
  readonly receiveBuffer?: number;
  readonly pauses: readonly { readonly after: number; readonly milliseconds: number }[];
}

export interface Exchange {
  readonly method: 'GET' | 'HEAD';
  /** How a response says where it ends; a raw connection just ends. */
  readonly framing: 'length' | 'chunked' | 'close';
  readonly steps: readonly Step[];
}

/** A microtask, a tick, a turn of the event loop, or so many milliseconds. */
export type Delay = 'microtask' | 'tick' | 'immediate' | number;

export type Data =
  | (Content & { readonly as: 'Buffer' | 'Uint8Array' })
  | {
      readonly as: 'string';
      readonly text: string;
      readonly repeat: number;
      readonly encoding: string;
      /** The encoding is set for the stream, and not given with the write. */
      readonly isDefault?: true;
    };

export type Step =
  | { readonly do: 'write'; readonly data: Data }
  | { readonly do: 'end'; readonly data?: Data }
  /** Writes of so many bytes until the kernel takes no more. */
  | { readonly do: 'fill'; readonly block: number }
  | { readonly do: 'cork'; readonly for: Delay }
  | { readonly do: 'wait'; readonly for: Delay }
  | FileStep;

export interface FileStep {
  readonly do: 'file';
  readonly file: number;
  readonly by: 'path' | 'fd' | 'FileHandle';
  readonly via: 'pipe' | 'pipeline' | 'promises';
  readonly start?: number;
  readonly end?: number;
  readonly highWaterMark?: number;
  /** Of a descriptor, which the app closes when its stream has ended. */
  readonly autoClose?: false;
  /** The destination ends with the file. */
  readonly ends: boolean;
  readonly change?: Change;
}

/** What happens to the file when its stream has been read. */
export interface Change {
  readonly what: 'replaced' | 'removed' | 'rewritten' | 'written anew' | 'cut';
  readonly on: 'end' | 'close' | 'finish';
  /** The client does it if the oracle needs to know how much the client had received by then. */
  readonly by: 'server' | 'client';
  /** The new content, or how much is left. */
  readonly to: Content;
}

/** Smaller files are read and written, so docs/deviations.md's sharing of pages does not concern them. */
export const SENDFILE_MIN = 64 << 10;

/** Where a fill gives up: a client reads. */
export const MOST_BLOCKS = 2000;
