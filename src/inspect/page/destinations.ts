import { busiest, DESTINATION_COLUMNS } from '../../report/destination-columns.js';
import { formatCount } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import { dimmed, fill, fillEmpty } from './drawing/elements.js';
import { table } from './drawing/table.js';

const MOST_ROWS = 20;

/** Where the process has opened connections to. */
export function showDestinations({ report: { destinations } }: Snapshot): void {
  if (destinations.length === 0) return fillEmpty('destinations', 'No outgoing connections.');
  const rest = destinations.length - MOST_ROWS;
  const note = rest > 0 ? [dimmed(`and ${formatCount(rest)} more destinations`)] : [];
  fill('destinations', table(DESTINATION_COLUMNS, busiest(destinations, MOST_ROWS)), ...note);
}
