import type { Stop } from '../run/app-process.js';
import type { Change, Session } from '../session/program.js';

/** What the two processes of a run tell each other. */
export type ToServer =
  | { readonly type: 'session'; readonly number: number; readonly directory: string; readonly session: Session }
  /** The client has all: say what is left. */
  | { readonly type: 'finish'; readonly number: number }
  | Stop;

export type FromServer =
  | { readonly type: 'listening'; readonly places: Places }
  | { readonly type: 'ready'; readonly number: number }
  /** A file's stream has been read: the client is to change the file. */
  | {
      readonly type: 'change';
      readonly number: number;
      readonly connection: number;
      readonly exchange: number;
      readonly step: number;
      readonly path: string;
      readonly change: Change;
    }
  | { readonly type: 'stalled'; readonly number: number; readonly connection: number }
  | { readonly type: 'finished'; readonly number: number; readonly served: Served };

/** Where the server listens: ports and paths, by protocol and transport. */
export type Places = Readonly<Record<Session['protocol'], Readonly<Record<Session['transport'], number | string>>>>;

/** What the server saw of a session. */
export interface Served {
  readonly connections: readonly ConnectionRecord[];
  /** Of the session's files. */
  readonly descriptorsLeft: number;
  /** How many file streams went which way, as far as they have a path. */
  readonly routes: Readonly<Record<string, number>>;
}

export interface ConnectionRecord {
  bytesWritten: number;
  writableLength: number;
  isClosed: boolean;
  readonly exchanges: ExchangeRecord[];
}

export interface ExchangeRecord {
  /** Steps that have been begun. */
  begun: number;
  isDone: boolean;
  isFinished: boolean;
  /** Blocks that each fill wrote. */
  readonly fills: number[];
  readonly streams: StreamRecord[];
  readonly errors: string[];
}

export interface StreamRecord {
  /** It closes its descriptor itself, and says so. */
  readonly closes: boolean;
  hasEnded: boolean;
  hasClosed: boolean;
  bytesRead: number;
}
