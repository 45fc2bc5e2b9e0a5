import type { LinkRecord } from './link.js';

/** Something of which the size is given. */
export interface Sized {
  readonly megabytes: number;
}

export const TRANSFER_KINDS = ['file', 'memory', 'upload'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/** A path, and how much of a measurement it takes. */
export interface ThroughputPoint extends Sized {
  readonly link: LinkRecord;
  /** Kinds of transfers that are made over it. */
  readonly kinds: readonly TransferKind[];
  readonly connections: number;
  /** What has not come until then does not count. */
  readonly mostMs: number;
  readonly rounds: number;
  /** Those of them that are a part of quick runs. */
  readonly quick?: readonly TransferKind[];
}

export function link(
  roundTripMs: number,
  rateMbit: number,
  lossPercent = 0,
  congestionControl: LinkRecord['congestionControl'] = 'cubic',
): LinkRecord {
  return { roundTripMs, rateMbit, lossPercent, congestionControl };
}

/** As rows and charts name it. */
export function nameOf({ roundTripMs, rateMbit, lossPercent, congestionControl }: LinkRecord): string {
  const rate = rateMbit >= 1000 ? `${rateMbit / 1000} Gbit/s` : `${rateMbit} Mbit/s`;
  const loss = lossPercent > 0 ? `, ${lossPercent} % lost` : '';
  return `${roundTripMs} ms, ${rate}${loss}${congestionControl === 'cubic' ? '' : `, ${congestionControl}`}`;
}

/** Of a file of that size, among those that are served. */
export function fileName({ megabytes }: Sized): string {
  return String(megabytes * 1e6);
}

/** Where the machine has time left, rounds hardly differ. */
const EVEN_ROUNDS = 3;
/** Where the machine is at its limit, or packets are lost. */
const UNEVEN_ROUNDS = 4;

/** One connection and a body, to its end: what somebody waits for. */
function whole(record: LinkRecord, megabytes: number): ThroughputPoint {
  return { link: record, kinds: TRANSFER_KINDS, connections: 1, megabytes, mostMs: 5000, rounds: EVEN_ROUNDS };
}

/** What chance does to one connection tells little, so there are eight, which do not fill the link, for a time. */
function several(record: LinkRecord): ThroughputPoint {
  return { link: record, kinds: ['file'], connections: 8, megabytes: 100, mostMs: 3000, rounds: UNEVEN_ROUNDS };
}

export const THROUGHPUT_POINTS: readonly ThroughputPoint[] = [
  { ...whole(link(1, 1000), 40), rounds: 2 * UNEVEN_ROUNDS, quick: ['file'] },
  { ...whole(link(40, 1000), 60), kinds: ['file', 'upload'], rounds: UNEVEN_ROUNDS },
  { ...several(link(200, 1000)), mostMs: 2500 },
  whole(link(20, 100), 20),
  { ...whole(link(100, 10), 2.5), kinds: ['file', 'upload'] },
  { ...whole(link(100, 100), 20), quick: ['file'] },
  { ...whole(link(200, 100), 20), kinds: ['file', 'upload'] },
  several(link(20, 100, 0.1)),
  { ...several(link(40, 100, 1)), kinds: ['file', 'upload'] },
  several(link(200, 100, 0.1)),
  several(link(100, 100, 1, 'bbr')),
];
