import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { Platform } from '../platform.js';
import { IPPROTO_MPTCP } from './multipath.js';

const AF_INET = 2;
const AF_INET6 = 10;
export const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** Flags of socket(2) and accept4(2): include/linux/net.h. */
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

/** Type and protocol of socket(2). */
const SOCKETS = {
  stream: [SOCK_STREAM, 0],
  datagram: [SOCK_DGRAM, 0],
  multipath: [SOCK_STREAM, IPPROTO_MPTCP],
} as const;

/**
 * socket(2) with Linux's numbers, and close(2). Expected errors: EMFILE, ENFILE, EAFNOSUPPORT without IPv6. Of MPTCP: EPROTONOSUPPORT without it,
 * ENOPROTOOPT where net.mptcp.enabled is 0.
 */
export function socketCalls(libc: Libc): Pick<Platform, 'openSocket' | 'close'> {
  const socket = libc.bind<(domain: number, type: number, protocol: number) => number>(
    'int socket(int domain, int type, int protocol)',
  );
  let close: ((fd: number) => number) | undefined;
  return {
    openSocket(isIPv6, kind = 'stream') {
      const [type, protocol] = SOCKETS[kind];
      const fd = socket(isIPv6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
      if (fd >= 0) return fd;
      const errno = libc.errno();
      // Kernels before 5.6 know no protocol with such a number.
      return -(errno === ERRNO.EINVAL && protocol !== 0 ? ERRNO.EPROTONOSUPPORT : errno);
    },
    close(fd) {
      close ??= libc.bind<(fd: number) => number>('int close(int fd)');
      return close(fd) === 0 ? 0 : libc.errno();
    },
  };
}
