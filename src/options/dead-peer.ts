import type { OptionValues } from './table.js';

/** net.ipv4.tcp_retries2 of nearly every system. A lower one ends connections sooner. */
const RETRANSMISSIONS = 15;

/** The kernel's model takes this for the first timeout: TCP_RTO_MIN of include/net/tcp.h. */
const FIRST_MS = 200;

/** Range of TCP_RTO_MAX_MS. */
const LEAST_MAX_MS = 1000;
const MOST_MAX_MS = 120_000;
const STEP_MS = 100;

/** Of the time for a dead peer: the kernel looks when it retransmits, and so up to one retransmission later. */
const MODEL_SHARE = 0.95;
const MOST_SHARE = 1.1;

/** Probes of a shut window, or of an idle connection, in the second half of the time. */
const PROBES = 5;

/**
 * Milliseconds after which Linux gives up data that nobody acknowledges, by net/ipv4/tcp_timer.c `tcp_model_timeout`.
 *
 * @param most TCP_RTO_MAX_MS
 */
export function retransmissionTime(most: number): number {
  const doublings = Math.floor(Math.log2(most / FIRST_MS));
  if (RETRANSMISSIONS <= doublings) return (2 ** (RETRANSMISSIONS + 1) - 1) * FIRST_MS;
  return (2 ** (doublings + 1) - 1) * FIRST_MS + (RETRANSMISSIONS - doublings) * most;
}

/** Whether the kernel ends a connection in time by itself, with this TCP_RTO_MAX_MS. Milliseconds. */
export function endsInTime(deadPeer: number, most: number | undefined): boolean {
  return most !== undefined && retransmissionTime(most) <= deadPeer * MOST_SHARE;
}

/** TCP_RTO_MAX_MS for a time in milliseconds: the greatest that ends the connection in time, or else one that keeps probes frequent. */
function retransmitTimeoutMax(deadPeer: number): number {
  const within = deadPeer * MODEL_SHARE;
  if (retransmissionTime(LEAST_MAX_MS) > within) return Math.max(LEAST_MAX_MS, Math.floor(deadPeer / PROBES / 2));
  let most = LEAST_MAX_MS;
  while (most < MOST_MAX_MS && retransmissionTime(most + STEP_MS) <= within) most += STEP_MS;
  return most;
}

type Implied = Required<
  Pick<OptionValues, 'keepAlive' | 'keepAliveIdle' | 'keepAliveInterval' | 'keepAliveCount' | 'retransmitTimeoutMax'>
>;

/**
 * The options by which the kernel finds a dead peer in this time. Half of it for an idle connection to be idle, half for the probes.
 *
 * @param deadPeer in seconds
 */
export function impliedByDeadPeer(deadPeer: number): Implied {
  const keepAliveIdle = Math.max(1, Math.floor(deadPeer / 2));
  const rest = deadPeer - keepAliveIdle;
  const keepAliveInterval = Math.max(1, Math.floor(rest / PROBES));
  return {
    keepAlive: true,
    keepAliveIdle,
    keepAliveInterval,
    keepAliveCount: Math.max(1, Math.floor(rest / keepAliveInterval)),
    retransmitTimeoutMax: retransmitTimeoutMax(deadPeer * 1000),
  };
}

/** Seconds after which keepalive ends an idle connection; infinite where it does not. */
function keepAliveTime({ keepAliveIdle, keepAliveInterval, keepAliveCount }: OptionValues): number {
  if (keepAliveIdle === undefined || keepAliveInterval === undefined || keepAliveCount === undefined)
    return Number.POSITIVE_INFINITY;
  return keepAliveIdle + keepAliveInterval * keepAliveCount;
}

/**
 * Options that were given in code, with those that `deadPeer` implies: where there are none, or where they would take longer. A config
 * that is built upon a preset has the times of the preset, which nobody has named.
 */
export function withDeadPeer<V extends OptionValues>(values: V): V {
  const { deadPeer, keepAlive, retransmitTimeoutMax: most } = values;
  if (deadPeer === undefined) return values;
  const { retransmitTimeoutMax: implied, ...keepAliveOptions } = impliedByDeadPeer(deadPeer);
  const isSlow = keepAlive !== false && keepAliveTime(values) > deadPeer;
  return {
    ...values,
    ...(isSlow && keepAliveOptions),
    ...((most === undefined || most > implied) && { retransmitTimeoutMax: implied }),
  };
}
