import { busiest, DESTINATION_COLUMNS } from '../../report/destination-columns.js';
import { formatCount } from '../../report/format.js';
import type { DestinationReport } from '../../report/live/outgoing.js';
import type { Snapshot } from '../../report/snapshot.js';
import { dimmed, fill, fillEmpty, html } from './elements.js';

const MOST_ROWS = 20;

function row(destination: DestinationReport): HTMLTableRowElement {
  return html('tr', {}, ...DESTINATION_COLUMNS.map(({ text }) => html('td', {}, text(destination))));
}

/** Where the process has opened connections to. */
export function showDestinations({ report: { destinations } }: Snapshot): void {
  if (destinations.length === 0) return fillEmpty('destinations', 'No outgoing connections.');
  const heads = html('tr', {}, ...DESTINATION_COLUMNS.map(({ head }) => html('th', {}, head)));
  const body = html('tbody', {}, ...busiest(destinations, MOST_ROWS).map(row));
  const rest = destinations.length - MOST_ROWS;
  const note = rest > 0 ? [dimmed(`and ${formatCount(rest)} more destinations`)] : [];
  fill('destinations', html('table', {}, html('thead', {}, heads), body), ...note);
}
