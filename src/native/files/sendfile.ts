import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';

/** Linux, include/linux/socket.h. NOSIGNAL is what libuv relies on SIGPIPE being ignored for; it costs nothing to say it. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const MSG_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** include/uapi/linux/fcntl.h */
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const O_ACCMODE = 3;

/** lseek(2). */
const SEEK_CUR = 1;

/** Linux's sendfile(2), send(2) and descriptor calls. */
export function sendCalls(
  libc: Libc,
): Pick<FileCalls, 'sendfile' | 'send' | 'duplicate' | 'close' | 'isReadOnly' | 'moveBack'> {
  const sendfile = libc.bind<(socket: number, file: number, position: BigInt64Array, count: number) => number>(
    'long sendfile(int socket, int file, void *position, size_t count)',
  );
  const send = libc.bind<(socket: number, data: Uint8Array, size: number, flags: number) => number>(
    'long send(int socket, const void *data, size_t size, int flags)',
  );
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>(
    'int fcntl(int fd, int command, long argument)',
  );
  const close = libc.bind<(fd: number) => number>('int close(int fd)');
  const lseek = libc.bind<(fd: number, offset: number, whence: number) => number>(
    'int64_t lseek(int fd, int64_t offset, int whence)',
  );
  const offset = new BigInt64Array(1);

  // EINTR is no answer. A signal handler cannot run between our calls for ever, so this ends.
  const retried = (call: () => number): number => {
    for (;;) {
      const result = call();
      if (result >= 0) return result;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return -errno;
    }
  };

  return {
    sendfile: (socket, file, position, count) =>
      retried(() => {
        offset[0] = BigInt(position);
        return sendfile(socket, file, offset, count);
      }),
    send: (socket, data, hasMore) =>
      retried(() => send(socket, data, data.byteLength, hasMore ? MSG_FLAGS | MSG_MORE : MSG_FLAGS)),
    duplicate: (fd) => retried(() => fcntl(fd, F_DUPFD_CLOEXEC, 0)),
    isReadOnly(fd) {
      const flags = fcntl(fd, F_GETFL, 0);
      return flags >= 0 && (flags & O_ACCMODE) === 0;
    },
    moveBack: (fd, bytes) => lseek(fd, -bytes, SEEK_CUR) >= 0,
    // close(2) must not be repeated after EINTR on Linux: the descriptor is gone by then.
    close: (fd) => (close(fd) === 0 ? 0 : -libc.errno()),
  };
}
