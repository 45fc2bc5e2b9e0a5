import type { Platform } from '../../native/platform.js';
import type { SocketHandle } from '../../node/net.js';
import { type DestinationRecord, destinationRecords } from '../destination-record.js';
import { lookForMeterProvider } from '../metrics/meter-provider.js';
import { LiveHandles } from './handles.js';

/** A connection that this process has opened, or is opening. */
interface LiveOutgoing {
  readonly handle: SocketHandle;
  readonly destination: DestinationRecord;
  /** As of its last sample, in microseconds. */
  roundTripTime: number | undefined;
  retransmits: number;
}

/** What the kernel knows of the way to a destination. Only since somebody watches. */
export interface PathRecord {
  /** Mean of the open connections' smoothed round-trip times as of their last samples, in microseconds. */
  readonly roundTripTime?: number;
  /** Segments that were sent again, on all connections up to their last samples. */
  readonly retransmits?: number;
}

export type DestinationReport = DestinationRecord & PathRecord;

/** A sample costs some microseconds. Each sampling takes the next ones, so of 5,000 connections each has its turn in 50 of them. */
const MOST_SAMPLES = 100;

let live: LiveHandles<LiveOutgoing> | undefined;
let watchers = 0;
/** Connections that had their turn in this round. */
let sampled = 0;

const retransmitsTo = new WeakMap<DestinationRecord, number>();

/** As of the last sampling, in microseconds. */
let roundTripsTo: ReadonlyMap<DestinationRecord, number> = new Map();

/** Keep a list of the connections that are opened from now on. Returns the undo. */
export function watchOutgoing(): () => void {
  watchers++;
  live ??= new LiveHandles();
  return () => {
    watchers--;
    if (watchers > 0) return;
    live = undefined;
    sampled = 0;
    roundTripsTo = new Map();
  };
}

/** Note an outgoing connection. Costs next to nothing while nobody watches. */
export function noteOutgoing(handle: SocketHandle, destination: DestinationRecord): void {
  lookForMeterProvider();
  live?.add({ handle, destination, roundTripTime: undefined, retransmits: 0 });
}

function sample(platform: Platform, connection: LiveOutgoing): void {
  const { handle, destination } = connection;
  const tcp = platform.tcpInfo(handle);
  if (tcp === undefined) return;
  // 0 until the handshake has measured it.
  connection.roundTripTime = tcp.roundTripTime || undefined;
  const known = retransmitsTo.get(destination) ?? 0;
  retransmitsTo.set(destination, known + tcp.retransmits - connection.retransmits);
  connection.retransmits = tcp.retransmits;
}

function meanRoundTrips(open: readonly LiveOutgoing[]): Map<DestinationRecord, number> {
  const sums = new Map<DestinationRecord, { time: number; amount: number }>();
  for (const { destination, roundTripTime } of open) {
    if (roundTripTime === undefined) continue;
    const sum = sums.get(destination);
    if (sum === undefined) sums.set(destination, { time: roundTripTime, amount: 1 });
    else {
      sum.time += roundTripTime;
      sum.amount++;
    }
  }
  return new Map([...sums].map(([destination, { time, amount }]) => [destination, Math.round(time / amount)]));
}

/** Ask the kernel about some of the open connections: at most {@link MOST_SAMPLES}, in turn. */
export function sampleOutgoing(platform: Platform): void {
  const open = live?.open() ?? [];
  const first = sampled < open.length ? sampled : 0;
  for (const connection of open.slice(first, first + MOST_SAMPLES)) sample(platform, connection);
  sampled = first + MOST_SAMPLES;
  roundTripsTo = meanRoundTrips(open);
}

/** The records of all destinations, with what is known of the ways there. */
export function destinationReports(): readonly DestinationReport[] {
  return destinationRecords().map((record) => {
    const roundTripTime = roundTripsTo.get(record);
    const retransmits = retransmitsTo.get(record);
    return {
      ...record,
      ...(roundTripTime === undefined ? {} : { roundTripTime }),
      ...(retransmits === undefined ? {} : { retransmits }),
    };
  });
}
