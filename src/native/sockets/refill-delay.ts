import type { Platform, SocketConstant } from '../platform.js';
import type { TcpInfo } from './tcp-info.js';

/** Refills in the time in which a whole buffer is acknowledged, a round trip. */
const REFILLS = 8;

/** Less room than fs.ReadStream would read at a time is not worth a turn of the event loop. */
const LEAST_ROOM = 64 << 10;

/** Of timers. On a path that asks for less, room is reported soon enough. */
const LEAST_DELAY_MS = 1;

/** Of its send buffer, a socket that is full reports room when no more than so much is in use (sk_stream_is_writeable). */
const REPORTED_AT = 2 / 3;

/** include/uapi/asm-generic/socket.h, and the values by include/uapi/linux/sock_diag.h. */
const SO_MEMINFO: SocketConstant = { level: 1, name: 55 };
const MEMORY_VALUES = 9;
const SEND_BUFFER = 3;
const QUEUED = 5;

/** The send buffer's size, and how much of it is in use, with what the kernel adds to the bytes. */
export interface SendMemory {
  readonly size: number;
  readonly queued: number;
}

/**
 * Linux reports room once a third of the send buffer is free. On a long path nearly all that the buffer holds is under way, and that
 * third is missing there until the report.
 *
 * @param memory asked for only if the rest makes it worth while
 * @returns milliseconds after which room is worth filling; 0 if the report comes as soon, or finds bytes that still wait to be sent
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

/** Ask for the send buffer of a descriptor; undefined where the kernel does not tell (before 4.12). */
export function sendMemoryCall(get: Platform['get']): (fd: number) => SendMemory | undefined {
  const values = new Int32Array(MEMORY_VALUES);
  return (fd) => {
    if (get({ fd }, SO_MEMINFO, values) !== 0) return undefined;
    return { size: values[SEND_BUFFER] ?? 0, queued: values[QUEUED] ?? 0 };
  };
}

/** {@link refillDelay} of a descriptor. */
export function refillDelayCall({ get, tcpInfo }: Pick<Platform, 'get' | 'tcpInfo'>): (fd: number) => number {
  const memory = sendMemoryCall(get);
  return (fd) => refillDelay(tcpInfo({ fd }), () => memory(fd));
}
