import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { KernelPipe, Platform, SocketConstant, SpliceCalls } from '../platform.js';
import { SOCK_STREAM } from './open-socket.js';
import { sendMemoryCall } from './refill-delay.js';

/** include/uapi/asm-generic/fcntl.h, of all architectures that we know. */
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

/** include/uapi/linux/fcntl.h */
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;

/** fs/splice.c: pages are moved where they can be, and nothing waits. */
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;

/** include/uapi/asm-generic/ioctls.h, arch/powerpc/include/uapi/asm/ioctls.h */
const FIONREAD = process.arch === 'ppc64' ? 0x4004667f : 0x541b;

const SO_TYPE: SocketConstant = { level: 1, name: 3 };

/**
 * splice(2), pipe2(2), and what goes with them. Expected errors: EAGAIN (nothing to read, or the socket is full), EPIPE and ECONNRESET (the
 * peer is gone), EINVAL (a socket that cannot), EMFILE and ENFILE (no free descriptor), EPERM (the user has too much in pipes).
 */
export function spliceCalls(libc: Libc, { get, close }: Pick<Platform, 'get' | 'close'>): SpliceCalls {
  const splice = libc.bind<
    (from: number, fromAt: number, to: number, toAt: number, count: number, flags: number) => number
  >('long splice(int from, intptr_t from_at, int to, intptr_t to_at, size_t count, unsigned int flags)');
  const pipe2 = libc.bind<(ends: Int32Array, flags: number) => number>('int pipe2(void *ends, int flags)');
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>(
    'int fcntl(int fd, int command, long argument)',
  );
  const read = libc.bind<(fd: number, data: Uint8Array, count: number) => number>(
    'long read(int fd, void *data, size_t count)',
  );
  const ioctl = libc.bind<(fd: number, request: number, value: Int32Array) => number>(
    'int ioctl(int fd, unsigned long request, void *value)',
  );
  const answer = new Int32Array(1);
  const ends = new Int32Array(2);
  const memory = sendMemoryCall(get);

  const retried = (call: () => number): number => {
    for (;;) {
      const result = call();
      if (result >= 0) return result;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return -errno;
    }
  };

  /** The size that a pipe gets: the largest of `size` and its halves that the user may have. */
  const resize = (fd: number, size: number): number => {
    for (let asked = size; asked > 0; asked = Math.floor(asked / 2)) {
      const current = fcntl(fd, F_GETPIPE_SZ, 0);
      if (current >= asked) return current;
      if (fcntl(fd, F_SETPIPE_SZ, asked) >= 0) return asked;
    }
    return 0;
  };

  return {
    openPipe(size): KernelPipe | number {
      if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) !== 0) return -libc.errno();
      const [output = -1, input = -1] = ends;
      return { output, input, size: resize(input, size) };
    },
    close,
    splice: (from, to, count) => retried(() => splice(from, 0, to, 0, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)),
    read: (fd, data) => retried(() => read(fd, data, data.byteLength)),
    unread: (socket) => (ioctl(socket, FIONREAD, answer) === 0 ? (answer[0] ?? 0) : 0),
    room(socket) {
      const { size, queued } = memory(socket) ?? { size: 0, queued: 0 };
      return Math.max(size - queued, 0);
    },
    isStreamSocket: (fd) => get({ fd }, SO_TYPE, answer) === 0 && answer[0] === SOCK_STREAM,
  };
}
