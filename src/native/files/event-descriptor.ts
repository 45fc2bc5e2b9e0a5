import type { Libc } from '../libc.js';
import type { FileCalls } from '../platform.js';

/** include/linux/eventfd.h; the values are those of O_CLOEXEC and O_NONBLOCK, of all architectures that we know. */
const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
/** Each read takes one event, and not all of them. */
const EFD_SEMAPHORE = 1;

/**
 * eventfd(2). Expected errors: EMFILE and ENFILE (no free descriptor), EAGAIN (2^64 events, and nobody has read).
 */
export function eventCalls(libc: Libc): Pick<FileCalls, 'openEvent' | 'notify'> {
  const eventfd = libc.bind<(count: number, flags: number) => number>('int eventfd(unsigned int count, int flags)');
  const write = libc.bind<(fd: number, value: number) => number>('int eventfd_write(int fd, uint64_t value)');
  return {
    openEvent() {
      const fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
      return fd < 0 ? -libc.errno() : fd;
    },
    notify: (event, events) => (write(event, events) === 0 ? 0 : -libc.errno()),
  };
}
