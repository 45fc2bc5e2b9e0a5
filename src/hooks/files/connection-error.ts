import { ERRNO, errnoName } from '../../native/errno.js';

/**
 * What becomes of a connection, and the kernel tells only whoever asks first. Another call on the socket would find EPIPE, and the
 * app would be told something else than by Node's own write.
 */
const TOLD_ONCE: ReadonlySet<number> = new Set([
  ERRNO.ECONNRESET,
  ERRNO.ETIMEDOUT,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.ENETDOWN,
  ERRNO.ECONNABORTED,
]);

/** The error that Node's own write would have raised; undefined if that will find it for itself, or it is not the socket's. */
export function connectionError(errno: number): NodeJS.ErrnoException | undefined {
  if (!TOLD_ONCE.has(errno)) return undefined;
  const code = errnoName(errno);
  return Object.assign(new Error(`write ${code}`), { errno: -errno, code, syscall: 'write' });
}
