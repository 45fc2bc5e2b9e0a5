import type { DestinationReport } from '../live/outgoing.js';
import { add, type Merge, type MetricRow, merged } from './row.js';

/**
 * Destinations that have series of their own. They are the first that the process came to: a series must not become another's, and that of
 * the others must not fall.
 */
const MOST_DESTINATIONS = 100;

/** As the records name what is beyond their own bound. */
const OTHERS = 'others';

const MILLISECONDS_PER_SECOND = 1000;
const MICROSECONDS_PER_SECOND = 1e6;

function byDestination(
  figureOf: (destination: DestinationReport) => number | undefined,
  merge: Merge = add,
): MetricRow['samples'] {
  const nameOf = ({ destination }: DestinationReport, index: number): string =>
    index < MOST_DESTINATIONS ? destination : OTHERS;
  return ({ destinations }) => merged('destination', merge, destinations, nameOf, figureOf);
}

function roundTripSeconds({ roundTripTime }: DestinationReport): number | undefined {
  return roundTripTime === undefined ? undefined : roundTripTime / MICROSECONDS_PER_SECOND;
}

export const DESTINATION_METRICS: readonly MetricRow[] = [
  {
    type: 'amount',
    name: 'destination_open_connections',
    instrument: 'destination.open',
    unit: '{connection}',
    help: 'Outgoing connections that are open now, by destination.',
    labels: ['destination'],
    samples: byDestination(({ open }) => open),
  },
  {
    type: 'counter',
    name: 'destination_opened_total',
    instrument: 'destination.opened',
    unit: '{connection}',
    help: 'Outgoing connections that were opened, by destination.',
    labels: ['destination'],
    samples: byDestination(({ opened }) => opened),
  },
  {
    type: 'counter',
    name: 'destination_failed_total',
    instrument: 'destination.failed',
    unit: '{connection}',
    help: 'Outgoing connections that could not be opened, by destination.',
    labels: ['destination'],
    samples: byDestination(({ failed }) => failed),
  },
  {
    type: 'counter',
    name: 'destination_connect_seconds_total',
    instrument: 'destination.connect_time',
    unit: 's',
    help: 'Time that the opened connections took to open, by destination.',
    labels: ['destination'],
    samples: byDestination(({ connectTime }) => connectTime / MILLISECONDS_PER_SECOND),
  },
  {
    type: 'gauge',
    name: 'destination_round_trip_seconds',
    instrument: 'destination.round_trip_time',
    unit: 's',
    help: 'Mean smoothed round-trip time of the open connections, by destination; of the others the longest.',
    labels: ['destination'],
    samples: byDestination(roundTripSeconds, Math.max),
  },
  {
    type: 'counter',
    name: 'destination_retransmits_total',
    instrument: 'destination.retransmits',
    unit: '{segment}',
    help: 'Segments that were sent again, by destination.',
    labels: ['destination'],
    samples: byDestination(({ retransmits }) => retransmits),
  },
  {
    type: 'counter',
    name: 'destination_dead_total',
    instrument: 'destination.dead',
    unit: '{connection}',
    help: 'Connections that were ended as the peer was dead, by destination.',
    labels: ['destination'],
    samples: byDestination(({ dead }) => dead),
  },
  {
    type: 'counter',
    name: 'destination_stale_total',
    instrument: 'destination.stale',
    unit: '{connection}',
    help: 'Pooled connections that were dropped as the peer had closed them, by destination.',
    labels: ['destination'],
    samples: byDestination(({ stale }) => stale),
  },
];
