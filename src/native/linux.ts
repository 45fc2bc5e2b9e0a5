import { debug } from '../diagnostics.js';
import { fs } from '../node-internals.js';
import { statusCalls } from './file-status.js';
import type { Libc } from './libc.js';
import { pathLookup } from './path-lookup.js';
import type { FileCalls, Platform, SocketConstant } from './platform.js';
import { residency } from './residency.js';
import { sendCalls } from './sendfile.js';
import { socketOptionCalls } from './sockopt.js';
import { staging } from './staging.js';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;

/** include/uapi/asm-generic/socket.h, include/uapi/linux/tcp.h */
const CONSTANTS: Readonly<Record<string, SocketConstant>> = {
  TCP_NODELAY: { level: IPPROTO_TCP, name: 1 },
  SO_RCVBUF: { level: SOL_SOCKET, name: 8 },
  SO_SNDBUF: { level: SOL_SOCKET, name: 7 },
  SO_KEEPALIVE: { level: SOL_SOCKET, name: 9 },
  TCP_KEEPIDLE: { level: IPPROTO_TCP, name: 4 },
  TCP_KEEPINTVL: { level: IPPROTO_TCP, name: 5 },
  TCP_KEEPCNT: { level: IPPROTO_TCP, name: 6 },
  TCP_QUICKACK: { level: IPPROTO_TCP, name: 12 },
  TCP_DEFER_ACCEPT: { level: IPPROTO_TCP, name: 9 },
  TCP_FASTOPEN: { level: IPPROTO_TCP, name: 23 },
  TCP_USER_TIMEOUT: { level: IPPROTO_TCP, name: 18 },
};

const SO_TYPE: SocketConstant = { level: SOL_SOCKET, name: 3 };
const SOCK_STREAM = 1;

/** Bit of net.ipv4.tcp_fastopen that lets servers take data in a SYN (Documentation/networking/ip-sysctl.rst). */
const TFO_SERVER = 2;

/** struct layouts and off_t are the 64-bit ones on these. */
const WIDE: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'ppc64', 's390x', 'loong64']);

/** A sysctl as numbers; undefined where /proc is not to be had. */
function sysctl(name: string): readonly number[] | undefined {
  try {
    return fs().readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1').trim().split(/\s+/).map(Number);
  } catch {
    return undefined;
  }
}

function fileCalls(libc: Libc, get: Platform['get']): FileCalls | undefined {
  if (!WIDE.has(process.arch)) return undefined;
  const type = new Int32Array(1);
  try {
    const send = sendCalls(libc);
    const { cachedStatus, ...status } = statusCalls(libc);
    return {
      ...send,
      ...status,
      lookUp: pathLookup(libc, cachedStatus, send.close),
      resident: residency(libc),
      ...staging(libc),
      isStreamSocket: (fd) => get({ fd }, SO_TYPE, type) === 0 && type[0] === SOCK_STREAM,
    };
  } catch (error) {
    // A C library older than statx(2) or preadv2(2): options work, and files are sent as ever.
    debug('no sendfile: %s', error);
    return undefined;
  }
}

export function linuxPlatform(libc: Libc): Platform {
  const calls = socketOptionCalls(libc);
  return {
    name: 'linux',
    unavailable: undefined,
    constants: CONSTANTS,
    ...calls,
    autotuningCeiling: (direction) => sysctl(direction === 'send' ? 'tcp_wmem' : 'tcp_rmem')?.[2],
    inertCause(constant) {
      if (constant !== 'TCP_FASTOPEN') return undefined;
      const value = sysctl('tcp_fastopen')?.[0];
      if (value === undefined || (value & TFO_SERVER) !== 0) return undefined;
      return `net.ipv4.tcp_fastopen=${value} lacks bit ${TFO_SERVER}`;
    },
    files: fileCalls(libc, calls.get),
  };
}
