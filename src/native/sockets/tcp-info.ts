import type { SocketHandle } from '../../node/net.js';
import { isLittleEndian } from '../endianness.js';
import type { Libc } from '../libc.js';
import { fdOf } from './handle-fd.js';

/** The kernel's numbers of a TCP connection: TCP_INFO of tcp(7). An older kernel lacks some. */
export interface TcpInfo {
  /** Name of the state, as in ss(8). */
  readonly state: string;
  /** Smoothed round-trip time, its variation and its minimum, in microseconds. */
  readonly roundTripTime: number;
  readonly roundTripVariation: number;
  readonly minRoundTripTime: number | undefined;
  /** Segments that may be in flight, and segments in flight. */
  readonly congestionWindow: number;
  readonly unacknowledged: number;
  /** Maximum segment size of sent segments, in bytes. */
  readonly segmentSize: number;
  /** Retransmitted segments since the connection began. */
  readonly retransmits: number;
  /** Bytes that were written, and not sent yet. */
  readonly notSentBytes: number | undefined;
  /** Recent delivery rate, in bytes a second. */
  readonly deliveryRate: number | undefined;
  readonly bytesSent: number | undefined;
  readonly bytesAcknowledged: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly bytesRetransmitted: number | undefined;
}

/** include/uapi/linux/tcp.h. Later kernels have a longer struct tcp_info. */
export const TCP_INFO = { level: 6, name: 11 } as const;

/** Bytes of struct tcp_info on the oldest kernel that Node supports. */
const LEAST_BYTES = 104;
const INFO_BYTES = 256;

const OFFSET = {
  segmentSize: 16,
  unacknowledged: 24,
  roundTripTime: 68,
  roundTripVariation: 72,
  congestionWindow: 80,
  retransmits: 100,
  bytesAcknowledged: 120,
  bytesReceived: 128,
  notSentBytes: 144,
  minRoundTripTime: 148,
  deliveryRate: 160,
  bytesSent: 200,
  bytesRetransmitted: 208,
} as const;

/** include/net/tcp_states.h */
const STATE_NAMES = [
  'UNKNOWN',
  'ESTAB',
  'SYN-SENT',
  'SYN-RECV',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'UNCONN',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
] as const;

/** Value of tcpi_min_rtt before the first measurement. */
const NO_ROUND_TRIP = 0xffff_ffff;

/** Index of the low half of a 64-bit number. */
const LOW = isLittleEndian ? 0 : 1;

/** TCP_INFO of a handle, by getsockopt(2). Undefined on an error: EOPNOTSUPP (no TCP socket), EBADF (closed). */
export function tcpInfoCall(libc: Libc): (handle: SocketHandle) => TcpInfo | undefined {
  const getsockopt = libc.bind<
    (fd: number, level: number, name: number, value: Uint8Array, size: Uint32Array) => number
  >('int getsockopt(int fd, int level, int name, void *value, void *size)');
  const bytes = new Uint8Array(INFO_BYTES);
  const ints = new Uint32Array(bytes.buffer);
  const size = new Uint32Array(1);
  const int = (offset: number): number | undefined => ((size[0] ?? 0) >= offset + 4 ? ints[offset / 4] : undefined);
  const long = (offset: number): number | undefined => {
    if ((size[0] ?? 0) < offset + 8) return undefined;
    return (ints[offset / 4 + LOW] ?? 0) + (ints[offset / 4 + 1 - LOW] ?? 0) * 2 ** 32;
  };
  return (handle) => {
    size[0] = INFO_BYTES;
    if (getsockopt(fdOf(handle), TCP_INFO.level, TCP_INFO.name, bytes, size) !== 0 || size[0] < LEAST_BYTES)
      return undefined;
    const least = int(OFFSET.minRoundTripTime);
    return {
      state: STATE_NAMES[bytes[0] ?? 0] ?? STATE_NAMES[0],
      roundTripTime: int(OFFSET.roundTripTime) ?? 0,
      roundTripVariation: int(OFFSET.roundTripVariation) ?? 0,
      minRoundTripTime: least === NO_ROUND_TRIP ? undefined : least,
      congestionWindow: int(OFFSET.congestionWindow) ?? 0,
      unacknowledged: int(OFFSET.unacknowledged) ?? 0,
      segmentSize: int(OFFSET.segmentSize) ?? 0,
      retransmits: int(OFFSET.retransmits) ?? 0,
      notSentBytes: int(OFFSET.notSentBytes),
      deliveryRate: long(OFFSET.deliveryRate),
      bytesSent: long(OFFSET.bytesSent),
      bytesAcknowledged: long(OFFSET.bytesAcknowledged),
      bytesReceived: long(OFFSET.bytesReceived),
      bytesRetransmitted: long(OFFSET.bytesRetransmitted),
    };
  };
}
