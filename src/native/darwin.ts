import type { Libc } from './libc.js';
import { LINUX_ONLY } from './linux-only.js';
import { constantTable, type Platform } from './platform.js';
import { type SignalLayout, signalActions } from './signal-action.js';
import { withDeviceIndex } from './sockets/device-index.js';
import { socketOptionCalls } from './sockets/sockopt.js';

const SOL_SOCKET = 0xffff;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;

/**
 * Numbers of xnu: bsd/sys/socket.h, bsd/netinet/{in,tcp}.h, bsd/netinet6/in6.h. Their effects: bsd/netinet/tcp_usrreq.c.
 * An accepted socket does not inherit keepalive or its times. TCP_FASTOPEN is on or off, and fails before listen(2).
 * SO_BINDTODEVICE of Linux is IP_BOUND_IF here, and IPV6_BOUND_IF. TCP_USER_TIMEOUT of Linux is TCP_RXT_CONNDROPTIME here, in seconds.
 */
const DARWIN_CONSTANTS = constantTable({
  TCP_NODELAY: { level: IPPROTO_TCP, name: 0x01 },
  SO_RCVBUF: { level: SOL_SOCKET, name: 0x1002 },
  SO_SNDBUF: { level: SOL_SOCKET, name: 0x1001 },
  SO_KEEPALIVE: { level: SOL_SOCKET, name: 0x0008, acceptedOnly: true },
  TCP_KEEPIDLE: { level: IPPROTO_TCP, name: 0x10, acceptedOnly: true },
  TCP_KEEPINTVL: { level: IPPROTO_TCP, name: 0x101, acceptedOnly: true },
  TCP_KEEPCNT: { level: IPPROTO_TCP, name: 0x102, acceptedOnly: true },
  TCP_FASTOPEN: { level: IPPROTO_TCP, name: 0x105, afterListen: true, greatest: 1 },
  TCP_USER_TIMEOUT: { level: IPPROTO_TCP, name: 0x80, acceptedOnly: true, divisor: 1000 },
  TCP_NOTSENT_LOWAT: { level: IPPROTO_TCP, name: 0x201, acceptedOnly: true },
  TCP_MAXSEG: { level: IPPROTO_TCP, name: 0x02 },
  SO_RCVLOWAT: { level: SOL_SOCKET, name: 0x1004 },
  SO_BINDTODEVICE: {
    level: IPPROTO_IP,
    name: 25,
    byIndex: true,
    onBound: true,
    ipv6: { level: IPPROTO_IPV6, name: 125 },
  },
  IP_TOS: { level: IPPROTO_IP, name: 3, acceptedOnly: true },
  IPV6_TCLASS: { level: IPPROTO_IPV6, name: 36, acceptedOnly: true },
  IP_RECVTOS: { level: IPPROTO_IP, name: 27 },
  SO_NOSIGPIPE: { level: SOL_SOCKET, name: 0x1022, acceptedOnly: true },
});

/** struct sigaction of bsd/sys/signal.h: handler, a mask of 4 bytes, flags. */
const DARWIN_SIGACTION: SignalLayout = { flagsAt: 12, restart: 2, resetHand: 4, added: 0 };

export function darwinPlatform(libc: Libc): Platform {
  return {
    name: 'darwin',
    unavailable: undefined,
    constants: DARWIN_CONSTANTS,
    ...withDeviceIndex(libc, socketOptionCalls(libc)),
    // No openSocket either. Without SOCK_CLOEXEC, a child process that starts between two calls would inherit the socket.
    ...LINUX_ONLY,
    signals: signalActions(libc, DARWIN_SIGACTION),
  };
}
