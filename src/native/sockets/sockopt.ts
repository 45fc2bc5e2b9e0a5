import type { SocketHandle } from '../../node/net.js';
import type { Libc } from '../libc.js';
import type { OptionBytes, Platform, SocketConstant } from '../platform.js';
import { fdOf } from './handle-fd.js';

/**
 * setsockopt(2) and getsockopt(2), alike on every POSIX system. Expected errors: ENOPROTOOPT and EOPNOTSUPP (unknown option), EINVAL (value
 * or state), EPERM and EACCES (privilege), EBADF. A closed handle has descriptor -1, and the kernel answers EBADF.
 */
export function socketOptionCalls(libc: Libc): Pick<Platform, 'set' | 'get'> {
  const setsockopt = libc.bind<(fd: number, level: number, name: number, value: OptionBytes, size: number) => number>(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int size)',
  );
  const getsockopt = libc.bind<
    (fd: number, level: number, name: number, value: OptionBytes, size: Uint32Array) => number
  >('int getsockopt(int fd, int level, int name, void *value, void *size)');
  const size = new Uint32Array(1);
  return {
    set(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number {
      const result = setsockopt(fdOf(handle), constant.level, constant.name, value, value.byteLength);
      return result === 0 ? 0 : libc.errno();
    },
    get(handle: SocketHandle, constant: SocketConstant, value: OptionBytes): number {
      size[0] = value.byteLength;
      const result = getsockopt(fdOf(handle), constant.level, constant.name, value, size);
      return result === 0 ? 0 : libc.errno();
    },
  };
}
