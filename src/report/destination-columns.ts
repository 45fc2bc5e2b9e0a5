// What the report, `socket-tune top` and the page of SOCKET_TUNE_INSPECT tell of a destination. It runs in a browser too.
import type { Column } from './column.js';
import { formatCount, formatTime } from './format.js';
import type { DestinationReport } from './live/outgoing.js';

const MICROSECONDS_PER_MILLISECOND = 1000;

function meanConnectTime({ opened, connectTime }: DestinationReport): number | undefined {
  return opened === 0 ? undefined : Math.round((connectTime * MICROSECONDS_PER_MILLISECOND) / opened);
}

/** A column of a figure that is a count. */
function counted(
  head: string,
  rank: number,
  key: (destination: DestinationReport) => number | undefined,
): Column<DestinationReport> {
  return { head, rank, text: (destination) => formatCount(key(destination)), key };
}

/** A column of a figure that is a time in microseconds. */
function timed(
  head: string,
  rank: number,
  key: (destination: DestinationReport) => number | undefined,
): Column<DestinationReport> {
  return { head, rank, text: (destination) => formatTime(key(destination)), key };
}

export const DESTINATION_COLUMNS: readonly Column<DestinationReport>[] = [
  { head: 'destination', rank: 0, text: ({ destination }) => destination, key: ({ destination }) => destination },
  counted('open', 1, ({ open }) => open),
  counted('opened', 5, ({ opened }) => opened),
  counted('failed', 2, ({ failed }) => failed),
  timed('connect time', 6, meanConnectTime),
  timed('round trip', 3, ({ roundTripTime }) => roundTripTime),
  counted('retransmits', 4, ({ retransmits }) => retransmits),
  counted('dead', 7, ({ dead }) => dead),
  counted('stale', 8, ({ stale }) => stale),
];

/** Those with the most open connections first. */
export function busiest(destinations: readonly DestinationReport[], most: number): readonly DestinationReport[] {
  return [...destinations].sort((a, b) => b.open - a.open || b.opened - a.opened).slice(0, most);
}
