import type { SocketHandle } from '../../node/net.js';
import { ERRNO } from '../errno.js';
import { TCP_INFO } from './tcp-info.js';

/** The connections of a listener that wait to be accepted. */
export interface QueuedConnections {
  readonly length: number;
  /** The listener's backlog, up to net.core.somaxconn. The kernel takes one more. */
  readonly limit: number;
}

/** The accept queue of a listener. */
export interface AcceptQueue extends QueuedConnections {
  /** SYNs and handshakes that were dropped since the listener began, mostly as the queue was full. Before kernel 4.12 undefined. */
  readonly drops: number | undefined;
}

/** getsockopt(2), of a platform. Returns 0 or an errno. */
interface ReadingCalls {
  get(handle: SocketHandle, constant: { readonly level: number; readonly name: number }, value: Uint8Array): number;
}

/** struct tcp_info up to tcpi_sacked: include/uapi/linux/tcp.h. Of a listener these two are its queue: net/ipv4/tcp.c, tcp_get_info. */
const TCP_INFO_INTS = 8;
const STATE = 0;
const LENGTH = 6;
const LIMIT = 7;

/** include/net/tcp_states.h */
const TCP_LISTEN = 10;

/** include/uapi/asm-generic/socket.h; include/uapi/linux/sock_diag.h, SK_MEMINFO_VARS and SK_MEMINFO_DROPS. */
const SO_MEMINFO = { level: 1, name: 55 } as const;
const MEMINFO_INTS = 9;
const DROPS = 8;

/** Reads the queue of a listener. Answers an errno on an error: EOPNOTSUPP for a socket that does not listen by TCP. */
export function queueReader({ get }: ReadingCalls): (handle: SocketHandle) => QueuedConnections | number {
  const info = new Uint32Array(TCP_INFO_INTS);
  const bytes = new Uint8Array(info.buffer);
  return (handle) => {
    info.fill(0);
    const errno = get(handle, TCP_INFO, bytes);
    if (errno !== 0) return errno;
    if (bytes[STATE] !== TCP_LISTEN) return ERRNO.EOPNOTSUPP;
    return { length: info[LENGTH] ?? 0, limit: info[LIMIT] ?? 0 };
  };
}

/** The accept queue of a listener, by getsockopt(2). Undefined where {@link queueReader} has an error. */
export function acceptQueueCall(calls: ReadingCalls): (handle: SocketHandle) => AcceptQueue | undefined {
  const read = queueReader(calls);
  const memory = new Uint32Array(MEMINFO_INTS);
  const bytes = new Uint8Array(memory.buffer);
  return (handle) => {
    const queue = read(handle);
    if (typeof queue === 'number') return undefined;
    return { ...queue, drops: calls.get(handle, SO_MEMINFO, bytes) === 0 ? memory[DROPS] : undefined };
  };
}
