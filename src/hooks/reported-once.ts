import { ERRNO } from '../native/errno.js';

/** include/uapi/asm-generic/errno.h: os.constants has no names for them. */
const ENONET = 64;
const EHOSTDOWN = 112;

/**
 * Errors of a connection that the kernel reports once. The next call gets EPIPE, or the end, and so the app would hear of something else. Many are
 * what ICMP has told (net/ipv4/icmp.c `icmp_err_convert`), which a connection reports when it gives up.
 */
const REPORTED_ONCE: ReadonlySet<number> = new Set([
  ERRNO.ECONNRESET,
  ERRNO.ETIMEDOUT,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.ENETDOWN,
  ERRNO.ECONNABORTED,
  ERRNO.ECONNREFUSED,
  ERRNO.ENOPROTOOPT,
  ERRNO.EPROTO,
  ENONET,
  EHOSTDOWN,
]);

/** Whether Node's own call would not meet an error again. */
export function isReportedOnce(errno: number): boolean {
  return REPORTED_ONCE.has(errno);
}

/** The error of a read or write that Node itself would have made (lib/internal/stream_base_commons.js). */
export function callError(syscall: 'read' | 'write', errno: number): NodeJS.ErrnoException {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(-errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: -errno, code, syscall });
}
