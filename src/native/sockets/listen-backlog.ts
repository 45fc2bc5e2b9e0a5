import type { Libc } from '../libc.js';
import type { Platform } from '../platform.js';
import { queueReader } from './accept-queue.js';
import { fdOf } from './handle-fd.js';

type OptionCalls = Pick<Platform, 'set' | 'get'>;

/**
 * The same calls, with the backlog of a listener as an option. A second listen(2) on a listener changes its backlog and nothing else.
 * `get` answers EOPNOTSUPP for a socket that does not listen.
 */
export function withListenBacklog(libc: Libc, { set, get }: OptionCalls): OptionCalls {
  const listen = libc.bind<(fd: number, backlog: number) => number>('int listen(int fd, int backlog)');
  const readQueue = queueReader({ get });
  return {
    set(handle, constant, value) {
      if (constant.call !== 'listen') return set(handle, constant, value);
      return listen(fdOf(handle), value[0] ?? 0) === 0 ? 0 : libc.errno();
    },
    get(handle, constant, value) {
      if (constant.call !== 'listen') return get(handle, constant, value);
      const queue = readQueue(handle);
      if (typeof queue === 'number') return queue;
      value[0] = queue.limit;
      return 0;
    },
  };
}
