import { CONNECTION_COLUMNS, type ConnectionColumn } from '../../report/connection-columns.js';
import { formatBytes } from '../../report/format.js';
import type { ConnectionSnapshot, Snapshot } from '../../report/snapshot.js';
import { fill, fillEmpty, html } from './elements.js';

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

function row(connection: ConnectionSnapshot): HTMLTableRowElement {
  return html('tr', {}, ...PAGE_COLUMNS.map(({ text }) => html('td', {}, text(connection))));
}

/** The connections with the longest round trips. */
export function showConnections({ connections: { shown } }: Snapshot): void {
  if (shown.length === 0) return fillEmpty('connections', 'No open connections.');
  const heads = html('tr', {}, ...PAGE_COLUMNS.map(({ head }) => html('th', {}, head)));
  const body = html('tbody', {}, ...shown.slice(0, MOST_ROWS).map(row));
  fill('connections', html('table', {}, html('thead', {}, heads), body));
}
