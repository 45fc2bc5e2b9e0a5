import { ERRNO, errnoName } from '../native/errno.js';

/** Errors of a connection that the kernel reports once. The next call gets EPIPE, or the end, and so the app would hear of something else. */
const REPORTED_ONCE: ReadonlySet<number> = new Set([
  ERRNO.ECONNRESET,
  ERRNO.ETIMEDOUT,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.ENETDOWN,
  ERRNO.ECONNABORTED,
]);

/** Whether Node's own call would not meet an error again. */
export function isReportedOnce(errno: number): boolean {
  return REPORTED_ONCE.has(errno);
}

/** The error of a read or write that Node itself would have made (lib/internal/stream_base_commons.js). */
export function callError(syscall: 'read' | 'write', errno: number): NodeJS.ErrnoException {
  const code = errnoName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -errno, code, syscall });
}
