// What `socket-tune top` and the page of SOCKET_TUNE_INSPECT tell of a connection. It runs in a browser too.
import { formatAge, formatBytes, formatCount, formatRate, formatTime } from './format.js';
import type { ConnectionSnapshot } from './snapshot.js';

/** A column of a table of connections. */
export interface ConnectionColumn {
  readonly head: string;
  text(connection: ConnectionSnapshot): string;
}

/** The columns that both have. Each adds its own last one. */
export const CONNECTION_COLUMNS: readonly ConnectionColumn[] = [
  { head: 'peer', text: ({ peer }) => peer },
  { head: 'listener', text: ({ listener }) => listener },
  { head: 'age', text: ({ age }) => formatAge(age) },
  { head: 'round trip', text: ({ tcp }) => formatTime(tcp?.roundTripTime) },
  { head: 'retransmits', text: ({ tcp }) => formatCount(tcp?.retransmits) },
  { head: 'congestion window', text: ({ tcp }) => formatCount(tcp?.congestionWindow) },
  { head: 'delivery', text: ({ tcp }) => formatRate(tcp?.deliveryRate) },
  { head: 'unsent', text: ({ tcp }) => formatBytes(tcp?.notSentBytes) },
  { head: 'by sendfile', text: ({ bytesBySendfile }) => formatBytes(bytesBySendfile) },
];
