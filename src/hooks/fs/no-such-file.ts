import { ERRNO } from '../../native/errno.js';

/**
 * The error that a completion of the thread pool brings (src/api/exceptions.cc `UVException`): it has no stack but its message, as no
 * JavaScript ran below it.
 */
export function noSuchFile(syscall: string, path: string): NodeJS.ErrnoException {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error: NodeJS.ErrnoException = new Error(`ENOENT: no such file or directory, ${syscall} '${path}'`);
  Error.stackTraceLimit = stackTraceLimit;
  error.errno = -ERRNO.ENOENT;
  error.code = 'ENOENT';
  error.syscall = syscall;
  error.path = path;
  return error;
}
