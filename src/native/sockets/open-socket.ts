import type { Libc } from '../libc.js';
import type { Platform } from '../platform.js';

const AF_INET = 2;
const AF_INET6 = 10;
export const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** Flags of socket(2) and accept4(2): include/linux/net.h. */
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

/** socket(2) for TCP and UDP with Linux's numbers, and close(2). Expected errors: EMFILE, ENFILE, EAFNOSUPPORT without IPv6. */
export function socketCalls(libc: Libc): Pick<Platform, 'openSocket' | 'close'> {
  const socket = libc.bind<(domain: number, type: number, protocol: number) => number>(
    'int socket(int domain, int type, int protocol)',
  );
  let close: ((fd: number) => number) | undefined;
  return {
    openSocket(isIPv6, isDatagram = false) {
      const type = isDatagram ? SOCK_DGRAM : SOCK_STREAM;
      const fd = socket(isIPv6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      return fd >= 0 ? fd : -libc.errno();
    },
    close(fd) {
      close ??= libc.bind<(fd: number) => number>('int close(int fd)');
      return close(fd) === 0 ? 0 : libc.errno();
    },
  };
}
