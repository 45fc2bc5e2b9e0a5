// What `socket-tune top` and the page of SOCKET_TUNE_INSPECT tell of a connection. It runs in a browser too.
import type { Column } from './column.js';
import { formatAge, formatBytes, formatCount, formatRate, formatTime } from './format.js';
import type { ConnectionSnapshot } from './snapshot.js';

export type ConnectionColumn = Column<ConnectionSnapshot>;

/** The columns that both have. Each adds its own last one. */
export const CONNECTION_COLUMNS: readonly ConnectionColumn[] = [
  { head: 'peer', rank: 0, text: ({ peer }) => peer, key: ({ peer }) => peer },
  { head: 'listener', rank: 8, text: ({ listener }) => listener, key: ({ listener }) => listener },
  { head: 'age', rank: 4, text: ({ age }) => formatAge(age), key: ({ age }) => age },
  {
    head: 'round trip',
    rank: 1,
    text: ({ tcp }) => formatTime(tcp?.roundTripTime),
    key: ({ tcp }) => tcp?.roundTripTime,
  },
  {
    head: 'retransmits',
    rank: 2,
    text: ({ tcp }) => formatCount(tcp?.retransmits),
    key: ({ tcp }) => tcp?.retransmits,
  },
  {
    head: 'congestion window',
    rank: 7,
    text: ({ tcp }) => formatCount(tcp?.congestionWindow),
    key: ({ tcp }) => tcp?.congestionWindow,
  },
  { head: 'delivery', rank: 5, text: ({ tcp }) => formatRate(tcp?.deliveryRate), key: ({ tcp }) => tcp?.deliveryRate },
  { head: 'unsent', rank: 3, text: ({ tcp }) => formatBytes(tcp?.notSentBytes), key: ({ tcp }) => tcp?.notSentBytes },
  {
    head: 'by sendfile',
    rank: 6,
    text: ({ bytesBySendfile }) => formatBytes(bytesBySendfile),
    key: ({ bytesBySendfile }) => bytesBySendfile,
  },
];
