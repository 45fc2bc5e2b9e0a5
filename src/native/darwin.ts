import type { Libc } from './libc.js';
import type { Platform, SocketConstant } from './platform.js';
import { socketOptionCalls } from './sockopt.js';

const SOL_SOCKET = 0xffff;
const IPPROTO_TCP = 6;

/**
 * xnu: bsd/sys/socket.h, bsd/netinet/tcp.h. Keepalive and its times do not pass from a listener to what it accepts;
 * TCP_FASTOPEN is refused before listen(2).
 */
const CONSTANTS: Readonly<Record<string, SocketConstant>> = {
  TCP_NODELAY: { level: IPPROTO_TCP, name: 0x01 },
  SO_RCVBUF: { level: SOL_SOCKET, name: 0x1002 },
  SO_SNDBUF: { level: SOL_SOCKET, name: 0x1001 },
  SO_KEEPALIVE: { level: SOL_SOCKET, name: 0x0008, acceptedOnly: true },
  TCP_KEEPIDLE: { level: IPPROTO_TCP, name: 0x10, acceptedOnly: true },
  TCP_KEEPINTVL: { level: IPPROTO_TCP, name: 0x101, acceptedOnly: true },
  TCP_KEEPCNT: { level: IPPROTO_TCP, name: 0x102, acceptedOnly: true },
  TCP_FASTOPEN: { level: IPPROTO_TCP, name: 0x105, afterListen: true },
  TCP_USER_TIMEOUT: { level: IPPROTO_TCP, name: 0x80, acceptedOnly: true },
  SO_NOSIGPIPE: { level: SOL_SOCKET, name: 0x1022, acceptedOnly: true },
};

export function darwinPlatform(libc: Libc): Platform {
  return {
    name: 'darwin',
    unavailable: undefined,
    constants: CONSTANTS,
    ...socketOptionCalls(libc),
    autotuningCeiling: () => undefined,
    inertCause: () => undefined,
    files: undefined,
  };
}
