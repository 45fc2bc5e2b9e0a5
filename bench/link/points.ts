import type { LinkRecord } from './link.js';

/** A transfer of a given size. */
export interface Sized {
  readonly megabytes: number;
}

export const TRANSFER_KINDS = ['file', 'memory', 'upload'] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/** A path, and the amount of measurement for it. */
export interface ThroughputPoint extends Sized {
  readonly link: LinkRecord;
  /** Kinds of transfers over it. */
  readonly kinds: readonly TransferKind[];
  readonly connections: number;
  /** Time limit; later bytes do not count. */
  readonly mostMs: number;
  readonly rounds: number;
  /** Kinds that are part of quick runs. */
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

/** Name in rows and charts. */
export function nameOf({ roundTripMs, rateMbit, lossPercent, congestionControl }: LinkRecord): string {
  const rate = rateMbit >= 1000 ? `${rateMbit / 1000} Gbit/s` : `${rateMbit} Mbit/s`;
  const loss = lossPercent > 0 ? `, ${lossPercent} % lost` : '';
  return `${roundTripMs} ms, ${rate}${loss}${congestionControl === 'cubic' ? '' : `, ${congestionControl}`}`;
}

/** Name of the served file of that size. */
export function fileName({ megabytes }: Sized): string {
  return String(megabytes * 1e6);
}

/** Rounds while the machine has CPU time left: they hardly differ. */
const EVEN_ROUNDS = 3;
/** Rounds at the machine's limit, or with packet loss. */
const UNEVEN_ROUNDS = 4;

/** One connection and a whole body: the time that somebody waits. */
function whole(record: LinkRecord, megabytes: number): ThroughputPoint {
  return { link: record, kinds: TRANSFER_KINDS, connections: 1, megabytes, mostMs: 5000, rounds: EVEN_ROUNDS };
}

/** Eight connections for a time, which do not fill the link: one alone depends on chance. */
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
