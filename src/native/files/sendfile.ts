import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';

/** include/linux/socket.h of Linux. libuv relies on an ignored SIGPIPE. NOSIGNAL works in any case, and costs nothing. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const MSG_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;

/** include/uapi/linux/fcntl.h */
const F_DUPFD_CLOEXEC = 1030;

/**
 * sendfile(2), send(2), fcntl(2) and close(2) of Linux. Expected errors: EAGAIN (the socket is full), EPIPE and ECONNRESET (the peer is
 * gone), ETIMEDOUT (TCP_USER_TIMEOUT), EIO (the disk), EINVAL (a file that cannot be mapped), EMFILE (no free descriptor).
 */
export function sendCalls(libc: Libc): Pick<FileCalls, 'sendfile' | 'send' | 'duplicate' | 'close'> {
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
  const offset = new BigInt64Array(1);

  // EINTR: a signal came before any byte was sent. A signal handler cannot run between our calls for ever, so this ends.
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
    // Never repeat close(2) after EINTR: Linux has freed the descriptor by then.
    close: (fd) => (close(fd) === 0 ? 0 : -libc.errno()),
  };
}
