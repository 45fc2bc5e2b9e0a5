// A column of a table, for `socket-tune top` and the page of SOCKET_TUNE_INSPECT. It runs in a browser too.

/** A column of a table whose rows are of this type. */
export interface Column<T> {
  readonly head: string;
  /** A table that is too wide loses the columns with the greatest rank first. */
  readonly rank: number;
  text(row: T): string;
  /** What rows are sorted by. Undefined comes last. */
  key(row: T): number | string | undefined;
}
