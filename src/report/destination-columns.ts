// What the report, `socket-tune top` and the page of SOCKET_TUNE_INSPECT tell of a destination. It runs in a browser too.
import { formatCount, formatTime } from './format.js';
import type { DestinationReport } from './live/outgoing.js';

/** A column of a table of destinations. */
export interface DestinationColumn {
  readonly head: string;
  text(destination: DestinationReport): string;
}

const MICROSECONDS_PER_MILLISECOND = 1000;

function meanConnectTime({ opened, connectTime }: DestinationReport): number | undefined {
  return opened === 0 ? undefined : Math.round((connectTime * MICROSECONDS_PER_MILLISECOND) / opened);
}

export const DESTINATION_COLUMNS: readonly DestinationColumn[] = [
  { head: 'destination', text: ({ destination }) => destination },
  { head: 'open', text: ({ open }) => formatCount(open) },
  { head: 'opened', text: ({ opened }) => formatCount(opened) },
  { head: 'failed', text: ({ failed }) => formatCount(failed) },
  { head: 'connect time', text: (destination) => formatTime(meanConnectTime(destination)) },
  { head: 'round trip', text: ({ roundTripTime }) => formatTime(roundTripTime) },
  { head: 'retransmits', text: ({ retransmits }) => formatCount(retransmits) },
  { head: 'dead', text: ({ dead }) => formatCount(dead) },
  { head: 'stale', text: ({ stale }) => formatCount(stale) },
];

/** Those with the most open connections first. */
export function busiest(destinations: readonly DestinationReport[], most: number): readonly DestinationReport[] {
  return [...destinations].sort((a, b) => b.open - a.open || b.opened - a.opened).slice(0, most);
}
