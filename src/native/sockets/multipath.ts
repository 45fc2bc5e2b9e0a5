import { ERRNO } from '../errno.js';
import type { Platform, SocketConstant } from '../platform.js';

/** include/uapi/asm-generic/socket.h */
const SO_PROTOCOL: SocketConstant = { level: 1, name: 38 };

/** include/uapi/linux/in.h */
export const IPPROTO_MPTCP = 262;

/** SOL_MPTCP and MPTCP_INFO: include/linux/socket.h, include/uapi/linux/mptcp.h. */
const MPTCP_INFO: SocketConstant = { level: 284, name: 1 };

type Calls = Pick<Platform, 'set' | 'get' | 'openSocket' | 'close'>;

/** Why the kernel makes no MPTCP socket. If it makes one, the socket in question was made by somebody else. */
function whyNone({ openSocket, close }: Calls): number {
  const fd = openSocket(false, 'multipath');
  if (fd < 0) return -fd;
  close(fd);
  return ERRNO.EOPNOTSUPP;
}

/**
 * The same calls, with MPTCP as an option: 1 on a socket that has it, 0 on any other. A socket is made with it or without, so `set` changes
 * nothing. It tells why a socket is not as asked: EPROTONOSUPPORT (no MPTCP in this kernel), ENOPROTOOPT (net.mptcp.enabled=0),
 * EOPNOTSUPP (made by somebody else, or the peer has no MPTCP).
 */
export function withMultipath(calls: Calls): Pick<Platform, 'set' | 'get'> {
  const info = new Uint8Array(4);
  const found = new Int32Array(1);
  const get: Platform['get'] = (handle, constant, value) => {
    if (constant.call !== 'socket') return calls.get(handle, constant, value);
    const errno = calls.get(handle, SO_PROTOCOL, value);
    // A connection whose peer has no MPTCP goes on as plain TCP, and knows nothing of this level.
    if (errno === 0) value[0] = value[0] === IPPROTO_MPTCP && calls.get(handle, MPTCP_INFO, info) === 0 ? 1 : 0;
    return errno;
  };
  return {
    get,
    set(handle, constant, value) {
      if (constant.call !== 'socket') return calls.set(handle, constant, value);
      const errno = get(handle, constant, found);
      if (errno !== 0 || found[0] === value[0]) return errno;
      return value[0] === 1 ? whyNone(calls) : ERRNO.EOPNOTSUPP;
    },
  };
}
