import type { SocketHandle } from '../node/net.js';
import { ERRNO } from './errno.js';
import { LINUX_ONLY } from './linux-only.js';
import { constantTable, type Platform, type SocketConstant } from './platform.js';

/** Default idle time of keepalive by RFC 1122; Linux: net.ipv4.tcp_keepalive_time. */
const DEFAULT_IDLE_SECONDS = 7200;

const NODE_API_CONSTANTS = constantTable({
  TCP_NODELAY: { level: 6, name: 1, acceptedOnly: true },
  SO_KEEPALIVE: { level: 1, name: 9, acceptedOnly: true },
  TCP_KEEPIDLE: { level: 6, name: 4, acceptedOnly: true },
});

type Setter = (handle: SocketHandle, value: number) => number | undefined;

const SETTERS: ReadonlyMap<SocketConstant | undefined, Setter> = new Map<SocketConstant | undefined, Setter>([
  [NODE_API_CONSTANTS.TCP_NODELAY, (handle, value) => handle.setNoDelay?.(value !== 0)],
  [
    NODE_API_CONSTANTS.SO_KEEPALIVE,
    (handle, value) => handle.setKeepAlive?.(value !== 0, value === 0 ? 0 : DEFAULT_IDLE_SECONDS),
  ],
  [NODE_API_CONSTANTS.TCP_KEEPIDLE, (handle, value) => handle.setKeepAlive?.(true, value)],
]);

/**
 * NODELAY and keepalive through Node's own API, for systems without a table and processes without koffi.
 *
 * @param cause reason for the lack of native calls
 */
export function nodeApiPlatform(cause: string): Platform {
  return {
    name: 'node-api',
    unavailable: cause,
    constants: NODE_API_CONSTANTS,
    // libuv returns errnos, negated.
    set: (handle, constant, value) => Math.abs(SETTERS.get(constant)?.(handle, value[0] ?? 0) ?? ERRNO.ENOPROTOOPT),
    get: () => ERRNO.EOPNOTSUPP,
    ...LINUX_ONLY,
  };
}
