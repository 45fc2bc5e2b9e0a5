import type { Platform, SocketConstant } from '../platform.js';
import type { TcpInfo } from './tcp-info.js';

/** Refills a round trip, in which a whole buffer is acknowledged. */
const REFILLS = 8;

/** Least room that is worth a turn of the event loop: one read of fs.ReadStream. */
const LEAST_ROOM = 64 << 10;

/** Shortest delay of a timer. On a shorter path, the socket reports room soon enough. */
const LEAST_DELAY_MS = 1;

/** Share of the send buffer in use below which a full socket reports room: sk_stream_is_writeable(). */
const REPORTED_AT = 2 / 3;

/** include/uapi/asm-generic/socket.h; its values: include/uapi/linux/sock_diag.h. */
const SO_MEMINFO: SocketConstant = { level: 1, name: 55 };
const MEMORY_VALUES = 9;
const SEND_BUFFER = 3;
const QUEUED = 5;

/** What a Unix socket's peer has not read yet. */
const ALLOCATED = 2;

/** Size of the send buffer, and how much of it is in use, with the kernel's overhead. */
export interface SendMemory {
  readonly size: number;
  readonly queued: number;
}

/**
 * Linux reports room once a third of the send buffer is free. On a long path nearly the whole buffer is in flight. Until the
 * report, the path carries a third less.
 *
 * @param memory called only if the other numbers allow a delay
 * @returns milliseconds until a refill; 0 if the report comes as soon, or unsent bytes last until then
 */
export function refillDelay(info: TcpInfo | undefined, memory: () => SendMemory | undefined): number {
  if (info?.notSentBytes === undefined) return 0;
  const delay = Math.floor(info.roundTripTime / 1000 / REFILLS);
  const held = info.unacknowledged * info.segmentSize + info.notSentBytes;
  const lastsUntilReport = info.notSentBytes >= held * (1 - REPORTED_AT);
  if (delay < LEAST_DELAY_MS || held < LEAST_ROOM * REFILLS || lastsUntilReport) return 0;
  const { queued = 0, size = 0 } = memory() ?? {};
  return queued - queued / REFILLS > size * REPORTED_AT ? delay : 0;
}

/** SO_MEMINFO of a descriptor, by getsockopt(2). Undefined on an error: ENOPROTOOPT before kernel 4.12, EBADF. */
export function sendMemoryCall(get: Platform['get']): (fd: number) => SendMemory | undefined {
  const values = new Int32Array(MEMORY_VALUES);
  return (fd) => {
    if (get({ fd }, SO_MEMINFO, values) !== 0) return undefined;
    return { size: values[SEND_BUFFER] ?? 0, queued: values[QUEUED] || (values[ALLOCATED] ?? 0) };
  };
}

/** {@link refillDelay} of a descriptor. */
export function refillDelayCall({ get, tcpInfo }: Pick<Platform, 'get' | 'tcpInfo'>): (fd: number) => number {
  const memory = sendMemoryCall(get);
  return (fd) => refillDelay(tcpInfo({ fd }), () => memory(fd));
}
