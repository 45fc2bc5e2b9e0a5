/** Codes of the errors of the programmatic API. */
export type SocketTuneErrorCode =
  | 'ERR_SOCKET_TUNE_INVALID_ARG'
  | 'ERR_SOCKET_TUNE_INVALID_VALUE'
  | 'ERR_SOCKET_TUNE_SOCKET_CLOSED'
  | 'ERR_SOCKET_TUNE_INSTALLED';

/** Error of the programmatic API. Its `code` says which one. */
export class SocketTuneError extends Error {
  override readonly name: string = 'SocketTuneError';
  readonly code: SocketTuneErrorCode;

  constructor(code: SocketTuneErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The error of an argument, or of a part of it, that is of the wrong type. */
export function invalidArgument(name: string, expected: string, value: unknown): SocketTuneError {
  return new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `${name} must be ${expected}, not ${describeValue(value)}`);
}

/** A value in the words of an error message: `a string ('x')`, `null`, `an instance of Server`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `a string ('${value}')`;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return `a ${typeof value} (${value})`;
  }
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  return `a ${typeof value}`;
}

/** What was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
