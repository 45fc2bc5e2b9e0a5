import { ERRNO } from '../../native/errno.js';

/** Whether V8 takes a stack at all, and we may say how long. Not under a lock of `Error` such as `--frozen-intrinsics`, or SES. */
function canSetLimit(): boolean {
  const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
  return limit?.writable === true && typeof limit.value === 'number';
}

/**
 * The error that a completion of the thread pool brings (src/api/exceptions.cc `UVException`): it has no stack but its message, as no
 * JavaScript ran below it. Undefined where only Node can make it so.
 */
export function noSuchFile(syscall: string, path: string): NodeJS.ErrnoException | undefined {
  if (!canSetLimit()) return undefined;
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
