import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { Platform } from '../platform.js';
import { fdOf } from './handle-fd.js';
import { TCP_INFO } from './tcp-info.js';

/** struct tcp_info up to tcpi_sacked: include/uapi/linux/tcp.h. A listener has its backlog there: net/ipv4/tcp.c, tcp_get_info. */
const TCP_INFO_INTS = 8;
const STATE = 0;
const TCP_LISTEN = 10;
const BACKLOG = 7;

type OptionCalls = Pick<Platform, 'set' | 'get'>;

/**
 * The same calls, with the backlog of a listener as an option. A second listen(2) on a listener changes its backlog and nothing else.
 * `get` answers EOPNOTSUPP for a socket that does not listen.
 */
export function withListenBacklog(libc: Libc, { set, get }: OptionCalls): OptionCalls {
  const listen = libc.bind<(fd: number, backlog: number) => number>('int listen(int fd, int backlog)');
  const info = new Int32Array(TCP_INFO_INTS);
  const state = new Uint8Array(info.buffer);
  return {
    set(handle, constant, value) {
      if (constant.call !== 'listen') return set(handle, constant, value);
      return listen(fdOf(handle), value[0] ?? 0) === 0 ? 0 : libc.errno();
    },
    get(handle, constant, value) {
      if (constant.call !== 'listen') return get(handle, constant, value);
      info.fill(0);
      const errno = get(handle, TCP_INFO, info);
      if (errno !== 0) return errno;
      if (state[STATE] !== TCP_LISTEN) return ERRNO.EOPNOTSUPP;
      value[0] = info[BACKLOG] ?? 0;
      return 0;
    },
  };
}
