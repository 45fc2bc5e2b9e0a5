import { CONNECTION_COLUMNS, type ConnectionColumn } from '../../report/connection-columns.js';
import { formatBytes } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { fill, fillEmpty } from './drawing/elements.js';
import { table } from './drawing/table.js';

const MOST_ROWS = 20;

const PAGE_COLUMNS: readonly ConnectionColumn[] = [
  ...CONNECTION_COLUMNS,
  {
    head: 'written',
    rank: 9,
    text: ({ bytesWritten }) => formatBytes(bytesWritten),
    key: ({ bytesWritten }) => bytesWritten,
  },
];

/** The connections with the longest round trips. */
export function showConnections({ connections: { shown } }: Snapshot): void {
  if (shown.length === 0) return fillEmpty('connections', 'No open connections.');
  fill('connections', table(PAGE_COLUMNS, shown.slice(0, MOST_ROWS)));
}
