// How figures are written for people: by `socket-tune top`, and by the page of SOCKET_TUNE_INSPECT. It runs in a browser too.

import type { PortGroupRecord, QueueRecord } from './listener-record.js';
import type { DropRecord } from './live/accept-queues.js';
import type { RequestRecord } from './request-record.js';

/** Stands where there is no figure. */
const NONE = '–';

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Decimals beyond the third digit say nothing. */
function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** Bytes: `17.2 MB`. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return NONE;
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${SIZES[unit]}`;
}

/** Bytes a second: `17.2 MB/s`. */
export function formatRate(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? NONE : `${formatBytes(bytesPerSecond)}/s`;
}

/** How many there are: `1,234`. */
export function formatCount(amount: number | undefined): string {
  return amount === undefined ? NONE : amount.toLocaleString('en');
}

/** Microseconds: `350 µs`, `12.5 ms`, `1.2 s`. */
export function formatTime(microseconds: number | undefined): string {
  if (microseconds === undefined) return NONE;
  if (microseconds < 1000) return `${microseconds} µs`;
  return microseconds < 1e6 ? `${threeDigits(microseconds / 1000)} ms` : `${(microseconds / 1e6).toFixed(1)} s`;
}

/** Milliseconds: `12 s`, `3 min 20 s`, `5 h 2 min`, `4 d 1 h`. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Listeners that share a port, and how evenly they share its connections. */
export function formatSharing({ listeners, imbalance }: PortGroupRecord): string[] {
  const sharing = `${listeners} listeners share the port`;
  return imbalance === undefined ? [sharing] : [sharing, `imbalance ${imbalance.toFixed(2)}`];
}

/** Connections that wait to be accepted: `accept queue 3 of 511, longest 40`. */
export function formatQueue({ length, limit, highest }: QueueRecord): string {
  const most = highest > length ? `, longest ${formatCount(highest)}` : '';
  return `accept queue ${formatCount(length)} of ${formatCount(limit)}${most}`;
}

/** A queue was full: how much was dropped, and what is to be raised; undefined of any other. */
export function formatQueueAdvice({ limit, highest, drops = 0, raise }: QueueRecord): string | undefined {
  if (drops === 0 && highest <= limit) return undefined;
  return `${formatCount(drops)} dropped: raise ${raise} above ${formatCount(limit)}, or accept faster`;
}

/** What all listeners have dropped, since this one process began to listen and in all. */
export function formatDropped({ overflows, drops }: DropRecord): string {
  const since = `${formatCount(overflows.since)} times an accept queue was full, ${formatCount(drops.since)} drops`;
  const total = `${formatCount(overflows.total)} and ${formatCount(drops.total)} in all`;
  return `network namespace: ${since} since the process listens (${total})`;
}

/** What became of requests, as far as it is counted and worth telling. */
export function formatRequests(requests: RequestRecord): string[] {
  const { idleClosed = 0, draining = false, cutConnections = 0, unanswered = 0, unansweredRequests = [] } = requests;
  const named = unansweredRequests.map(({ method, path, age }) => `${method} ${path}, ${formatAge(age)}`);
  return [
    ...(draining ? ['the process is draining'] : []),
    ...(idleClosed === 0 ? [] : [`${formatCount(idleClosed)} idle connections closed by Node`]),
    ...(cutConnections === 0 ? [] : [`${formatCount(cutConnections)} connections cut when a drain was over`]),
    ...(unanswered === 0 ? [] : [`${formatCount(unanswered)} requests on their way then: ${named.join('; ')}`]),
  ];
}
