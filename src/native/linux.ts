import { debug } from '../diagnostics.js';
import { withoutPrototype } from '../node/own-properties.js';
import { eventCalls } from './files/event-descriptor.js';
import { statusCalls } from './files/file-status.js';
import { pathLookupCalls } from './files/path-lookup.js';
import { readNowCall, residencyCall } from './files/residency.js';
import { sendCalls } from './files/sendfile.js';
import { stagingCalls } from './files/staging.js';
import type { Libc } from './libc.js';
import {
  constantTable,
  type FileCalls,
  type OptionChoices,
  type Platform,
  type SocketConstant,
  type SpliceCalls,
} from './platform.js';
import { portCalls } from './ports/port-calls.js';
import { type SignalLayout, signalActions } from './signal-action.js';
import { acceptQueueCall } from './sockets/accept-queue.js';
import { withListenBacklog } from './sockets/listen-backlog.js';
import { withMultipath } from './sockets/multipath.js';
import { listenCounters } from './sockets/netstat.js';
import { SOCK_STREAM, socketCalls } from './sockets/open-socket.js';
import { peerClosedCall } from './sockets/peer-closed.js';
import { peerStateCall } from './sockets/peer-state.js';
import { refillDelayCall } from './sockets/refill-delay.js';
import { segmentCalls } from './sockets/segments.js';
import { socketOptionCalls } from './sockets/sockopt.js';
import { spliceCalls } from './sockets/splice.js';
import { TCP_INFO, tcpInfoCall } from './sockets/tcp-info.js';
import { sysctl, sysctlWords } from './sysctl.js';

const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;

/** include/uapi/asm-generic/socket.h, include/uapi/linux/{tcp,in,in6}.h */
const LINUX_CONSTANTS = constantTable({
  TCP_NODELAY: { level: IPPROTO_TCP, name: 1 },
  SO_RCVBUF: { level: SOL_SOCKET, name: 8, privileged: { level: SOL_SOCKET, name: 33 } },
  SO_SNDBUF: { level: SOL_SOCKET, name: 7, privileged: { level: SOL_SOCKET, name: 32 } },
  SO_KEEPALIVE: { level: SOL_SOCKET, name: 9 },
  TCP_KEEPIDLE: { level: IPPROTO_TCP, name: 4 },
  TCP_KEEPINTVL: { level: IPPROTO_TCP, name: 5 },
  TCP_KEEPCNT: { level: IPPROTO_TCP, name: 6 },
  TCP_QUICKACK: { level: IPPROTO_TCP, name: 12 },
  TCP_DEFER_ACCEPT: { level: IPPROTO_TCP, name: 9 },
  TCP_FASTOPEN: { level: IPPROTO_TCP, name: 23 },
  TCP_USER_TIMEOUT: { level: IPPROTO_TCP, name: 18 },
  TCP_NOTSENT_LOWAT: { level: IPPROTO_TCP, name: 25 },
  TCP_DELACK_MAX_US: { level: IPPROTO_TCP, name: 46 },
  'listen(2)': { level: IPPROTO_TCP, name: 0, call: 'listen', afterListen: true },
  TCP_CONGESTION: { level: IPPROTO_TCP, name: 13 },
  TCP_FASTOPEN_CONNECT: { level: IPPROTO_TCP, name: 30 },
  TCP_MAXSEG: { level: IPPROTO_TCP, name: 2 },
  TCP_SYNCNT: { level: IPPROTO_TCP, name: 7 },
  TCP_WINDOW_CLAMP: { level: IPPROTO_TCP, name: 10 },
  TCP_LINGER2: { level: IPPROTO_TCP, name: 8 },
  TCP_THIN_LINEAR_TIMEOUTS: { level: IPPROTO_TCP, name: 16 },
  TCP_RTO_MIN_US: { level: IPPROTO_TCP, name: 45 },
  TCP_RTO_MAX_MS: { level: IPPROTO_TCP, name: 44 },
  TCP_INFO,
  SO_REUSEADDR: { level: SOL_SOCKET, name: 2 },
  SO_REUSEPORT: { level: SOL_SOCKET, name: 15 },
  SO_RCVLOWAT: { level: SOL_SOCKET, name: 18 },
  SO_PRIORITY: { level: SOL_SOCKET, name: 12 },
  SO_MAX_PACING_RATE: { level: SOL_SOCKET, name: 47 },
  SO_BUSY_POLL: { level: SOL_SOCKET, name: 46 },
  SO_INCOMING_CPU: { level: SOL_SOCKET, name: 49 },
  SO_MARK: { level: SOL_SOCKET, name: 36 },
  SO_BINDTODEVICE: { level: SOL_SOCKET, name: 25 },
  // The kernel's getsockopt(2) tells it of MPTCP sockets.
  IPPROTO_MPTCP: { level: SOL_SOCKET, name: 38, call: 'socket' },
  IP_BIND_ADDRESS_NO_PORT: { level: IPPROTO_IP, name: 24 },
  // IPV6_FREEBIND (41, 78) and IPV6_TRANSPARENT (41, 75) set the same two bits of an IPv6 socket. Test: hooks/local-address.
  IP_FREEBIND: { level: IPPROTO_IP, name: 15 },
  IP_TRANSPARENT: { level: IPPROTO_IP, name: 19 },
  IP_TOS: { level: IPPROTO_IP, name: 1 },
  IPV6_TCLASS: { level: IPPROTO_IPV6, name: 67 },
  IP_MTU_DISCOVER: { level: IPPROTO_IP, name: 10 },
  IP_RECVTOS: { level: IPPROTO_IP, name: 13 },
});

/** The sysctl that caps an option, by the option. */
const LIMITS: Readonly<Record<string, string>> = withoutPrototype({
  SO_RCVBUF: 'core/rmem_max',
  SO_SNDBUF: 'core/wmem_max',
  'listen(2)': 'core/somaxconn',
});

const SO_TYPE: SocketConstant = { level: SOL_SOCKET, name: 3 };

/** Bits of net.ipv4.tcp_fastopen that allow data in a SYN: Documentation/networking/ip-sysctl.rst. */
const FASTOPEN_BITS: Readonly<Record<string, number>> = withoutPrototype({
  TCP_FASTOPEN_CONNECT: 1,
  TCP_FASTOPEN: 2,
});

/** Architectures with 64-bit struct layouts and off_t. */
const LAYOUTS_OF_64_BITS: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'ppc64', 's390x', 'loong64']);

/**
 * struct sigaction of glibc and musl: handler, a mask of 128 bytes, flags (bits/sigaction.h, include/uapi/asm-generic/signal-defs.h).
 * Both may add SA_RESTORER. s390x has another layout, and its flags show it.
 */
const LINUX_SIGACTION: SignalLayout = { flagsAt: 136, restart: 0x10000000, resetHand: 0x80000000, added: 0x04000000 };

function fileCalls(libc: Libc, calls: Pick<Platform, 'get' | 'tcpInfo'>): FileCalls | undefined {
  if (!LAYOUTS_OF_64_BITS.has(process.arch)) return undefined;
  const type = new Int32Array(1);
  try {
    const send = sendCalls(libc);
    const status = statusCalls(libc);
    return {
      ...send,
      ...status,
      ...pathLookupCalls(libc, { ...send, ...status }),
      readNow: readNowCall(libc, status),
      resident: residencyCall(libc, status),
      ...stagingCalls(libc, status),
      ...eventCalls(libc),
      isStreamSocket: (fd) => calls.get({ fd }, SO_TYPE, type) === 0 && type[0] === SOCK_STREAM,
      refillDelay: refillDelayCall(calls),
    };
  } catch (error) {
    // The C library lacks statx(2) or preadv2(2). Options work, and Node sends the files.
    debug('no sendfile: %s', error);
    return undefined;
  }
}

/** Calls that few processes make are bound when they are first needed. */
function onceBound(bind: () => SpliceCalls): () => SpliceCalls | undefined {
  let bound: SpliceCalls | undefined;
  let isTried = !LAYOUTS_OF_64_BITS.has(process.arch);
  return () => {
    if (isTried) return bound;
    isTried = true;
    try {
      bound = bind();
    } catch (error) {
      debug('no splice: %s', error);
    }
    return bound;
  };
}

function inertCause(constant: string): string | undefined {
  const bit = FASTOPEN_BITS[constant];
  const value = bit === undefined ? undefined : sysctl('ipv4/tcp_fastopen')?.[0];
  if (bit === undefined || value === undefined || (value & bit) !== 0) return undefined;
  return `net.ipv4.tcp_fastopen=${value} lacks bit ${bit}`;
}

function limitOf(constant: string): string | undefined {
  const name = LIMITS[constant];
  const value = name === undefined ? undefined : sysctl(name)?.[0];
  return value === undefined ? undefined : `net.${name?.replace('/', '.')}=${value}`;
}

/** Of the options with names, congestion control alone has a list of them (Documentation/networking/ip-sysctl.rst). */
function choicesOf(constant: string): OptionChoices | undefined {
  if (constant !== 'TCP_CONGESTION') return undefined;
  const available = sysctlWords('ipv4/tcp_available_congestion_control');
  return available && { available, allowed: sysctlWords('ipv4/tcp_allowed_congestion_control') };
}

export function linuxPlatform(libc: Libc): Platform {
  const sockets = socketCalls(libc);
  const calls = withMultipath({ ...withListenBacklog(libc, socketOptionCalls(libc)), ...sockets });
  const tcpInfo = tcpInfoCall(libc);
  return {
    name: 'linux',
    unavailable: undefined,
    constants: LINUX_CONSTANTS,
    ...calls,
    autotuningCeiling: (direction) => sysctl(direction === 'send' ? 'ipv4/tcp_wmem' : 'ipv4/tcp_rmem')?.[2],
    inertCause,
    limitOf,
    choicesOf,
    ...sockets,
    tcpInfo,
    acceptQueue: acceptQueueCall(calls),
    listenCounters,
    peerState: peerStateCall(libc),
    hasPeerClosed: peerClosedCall(libc),
    ports: portCalls(libc, calls.set),
    segments: () => (LAYOUTS_OF_64_BITS.has(process.arch) ? segmentCalls(libc) : undefined),
    splicing: onceBound(() => spliceCalls(libc, { get: calls.get, close: sockets.close })),
    files: fileCalls(libc, { get: calls.get, tcpInfo }),
    signals: LAYOUTS_OF_64_BITS.has(process.arch) ? signalActions(libc, LINUX_SIGACTION) : undefined,
  };
}
