import type { SocketHandle } from '../node-internals.js';
import { fdOf } from './handle-fd.js';
import type { Libc } from './libc.js';
import type { Platform, SocketConstant } from './platform.js';

const INT_BYTES = 4;

/**
 * setsockopt(2) and getsockopt(2) of an int, alike on every POSIX system. A handle that is closed has descriptor -1, to which
 * the kernel answers EBADF.
 */
export function socketOptionCalls(libc: Libc): Pick<Platform, 'set' | 'get'> {
  const setsockopt = libc.bind<(fd: number, level: number, name: number, value: Int32Array, size: number) => number>(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int size)',
  );
  const getsockopt = libc.bind<
    (fd: number, level: number, name: number, value: Int32Array, size: Uint32Array) => number
  >('int getsockopt(int fd, int level, int name, void *value, void *size)');
  const size = new Uint32Array(1);
  return {
    set(handle: SocketHandle, constant: SocketConstant, value: Int32Array): number {
      const result = setsockopt(fdOf(handle), constant.level, constant.name, value, INT_BYTES);
      return result === 0 ? 0 : libc.errno();
    },
    get(handle: SocketHandle, constant: SocketConstant, value: Int32Array): number {
      size[0] = INT_BYTES;
      const result = getsockopt(fdOf(handle), constant.level, constant.name, value, size);
      return result === 0 ? 0 : libc.errno();
    },
  };
}
