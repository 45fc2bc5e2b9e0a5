/** Codes of the errors that the programmatic API throws. */
export type SocketTuneErrorCode =
  | 'ERR_SOCKET_TUNE_INVALID_ARG'
  | 'ERR_SOCKET_TUNE_INVALID_VALUE'
  | 'ERR_SOCKET_TUNE_SOCKET_CLOSED'
  | 'ERR_SOCKET_TUNE_INSTALLED';

/** Error of the programmatic API; tell them apart by `code`. */
export class SocketTuneError extends Error {
  override readonly name: string = 'SocketTuneError';
  readonly code: SocketTuneErrorCode;

  constructor(code: SocketTuneErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a value is, in the words of an error message: `a string ('x')`, `null`, `an instance of Server`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `a string ('${value}')`;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return `a ${typeof value} (${value})`;
  }
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  return `a ${typeof value}`;
}
