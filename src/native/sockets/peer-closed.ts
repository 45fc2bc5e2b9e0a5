import type { SocketHandle } from '../../node/net.js';
import type { Libc } from '../libc.js';
import { fdOf } from './handle-fd.js';

/** include/uapi/asm-generic/poll.h. The kernel reports the last two whether it is asked or not. */
const POLLRDHUP = 0x2000;
const POLLERR = 0x0008;
const POLLHUP = 0x0010;

/**
 * Whether the peer has closed a connection, as far as the kernel knows: by FIN or by RST, read or not. One poll(2) that does not wait.
 *
 * POLLRDHUP tells more than a read would. What came before the FIN has not been read yet, be it a 408 or a TLS session ticket.
 */
export function peerClosedCall(libc: Libc): (handle: SocketHandle) => boolean {
  const poll = libc.bind<(fds: Uint8Array, count: number, timeout: number) => number>(
    'int poll(void *fds, unsigned long count, int timeout)',
  );
  /** struct pollfd: descriptor, events, and the events that were found. */
  const bytes = new Uint8Array(8);
  const descriptor = new Int32Array(bytes.buffer, 0, 1);
  const events = new Int16Array(bytes.buffer, 4, 2);
  events[0] = POLLRDHUP;
  return (handle) => {
    const fd = fdOf(handle);
    if (fd < 0) return false;
    descriptor[0] = fd;
    events[1] = 0;
    return poll(bytes, 1, 0) > 0 && ((events[1] ?? 0) & (POLLRDHUP | POLLERR | POLLHUP)) !== 0;
  };
}
