import type { SocketHandle } from '../../node/net.js';
import { isLittleEndian } from '../endianness.js';
import type { Libc } from '../libc.js';
import type { SocketConstant } from '../platform.js';
import { fdOf } from './handle-fd.js';

/** What the kernel knows of a TCP connection; a number is missing where the kernel is too old to tell it. */
export interface TcpInfo {
  /** Name of the state, as ss(8) has it. */
  readonly state: string;
  /** Smoothed round-trip time and its variation, and the least one seen, in microseconds. */
  readonly roundTripTime: number;
  readonly roundTripVariation: number;
  readonly minRoundTripTime: number | undefined;
  /** Segments that may be in flight, and those that are. */
  readonly congestionWindow: number;
  readonly unacknowledged: number;
  /** Largest segment that is sent, in bytes. */
  readonly segmentSize: number;
  /** Segments that were sent again, since the connection began. */
  readonly retransmits: number;
  /** Bytes that were written and not sent yet. */
  readonly notSentBytes: number | undefined;
  /** Bytes a second that were delivered lately. */
  readonly deliveryRate: number | undefined;
  readonly bytesSent: number | undefined;
  readonly bytesAcknowledged: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly bytesRetransmitted: number | undefined;
}

/** include/uapi/linux/tcp.h: option, and offsets in struct tcp_info, of which later kernels have more than earlier ones. */
export const TCP_INFO: SocketConstant = { level: 6, name: 11 };

/** The part that every kernel has that Node runs on. */
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

/** What tcpi_min_rtt is before there has been one. */
const NO_ROUND_TRIP = 0xffff_ffff;

/** Where the low half of a 64-bit number is. */
const LOW = isLittleEndian ? 0 : 1;

/** TCP_INFO of a handle; undefined if it is no open TCP socket. */
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
