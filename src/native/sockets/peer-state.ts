import type { SocketHandle } from '../../node/net.js';
import type { Libc } from '../libc.js';
import { fdOf } from './handle-fd.js';
import { TCP_INFO } from './tcp-info.js';

/** What a connection's other end has answered, by TCP_INFO. One object is filled again and again, so a look allocates nothing. */
export interface PeerState {
  /** Segments that are not acknowledged. */
  inFlight: number;
  /** Bytes that wait in the kernel, such as for the peer's window. */
  notSent: number;
  /** Retransmissions in a row without an ACK. */
  retransmissions: number;
  /** Probes in a row without an ACK: of a shut window, or of an idle connection. */
  probes: number;
  /** Milliseconds since the last ACK or data of the peer. */
  silent: number;
  /** Milliseconds since data was sent last. */
  sent: number;
  /** Milliseconds since data was received last. */
  received: number;
}

/** include/uapi/linux/tcp.h: bytes, and then ints. */
const OFFSET = {
  retransmissions: 2,
  probes: 3,
  inFlight: 24,
  sent: 44,
  received: 52,
  acknowledged: 56,
  notSent: 144,
} as const;

/** Bytes up to the last of them. A kernel before 4.6 has fewer. */
const BYTES = OFFSET.notSent + 4;

/** Fills `state` with the state of a connection. False on an error: EBADF (closed), EOPNOTSUPP (no TCP socket). */
export function peerStateCall(libc: Libc): (handle: SocketHandle, state: PeerState) => boolean {
  const getsockopt = libc.bind<
    (fd: number, level: number, name: number, value: Uint8Array, size: Uint32Array) => number
  >('int getsockopt(int fd, int level, int name, void *value, void *size)');
  const bytes = new Uint8Array(BYTES);
  const ints = new Uint32Array(bytes.buffer);
  const size = new Uint32Array(1);
  const int = (offset: number): number => ints[offset / 4] ?? 0;
  return (handle, state) => {
    size[0] = BYTES;
    if (getsockopt(fdOf(handle), TCP_INFO.level, TCP_INFO.name, bytes, size) !== 0 || size[0] < BYTES) return false;
    state.inFlight = int(OFFSET.inFlight);
    state.notSent = int(OFFSET.notSent);
    state.retransmissions = bytes[OFFSET.retransmissions] ?? 0;
    state.probes = bytes[OFFSET.probes] ?? 0;
    state.sent = int(OFFSET.sent);
    state.received = int(OFFSET.received);
    state.silent = Math.min(int(OFFSET.acknowledged), state.received);
    return true;
  };
}
