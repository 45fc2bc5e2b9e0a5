import type { Delay } from '../session/program.js';
import { Random } from '../session/random.js';
import type { Act, Kind, Leave, LinePlan, Operation, SessionPlan, Traffic } from './plan.js';

const KINDS: readonly (readonly [number, Kind])[] = [
  [5, 'tcp'],
  [3, 'unix'],
  [1, 'tcp6'],
];

/** Lengths at which something may change: the chunk of Node, and what a kernel's pipe holds. */
const EDGES = [1, 4096, 16 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20];

function size(random: Random): number {
  if (random.chance(0.1)) return random.between(0, 1000);
  if (random.chance(0.15)) return random.pick(EDGES) * random.between(1, 4) + random.between(-1, 1);
  return random.chance(0.2) ? random.between(4 << 20, 12 << 20) : random.between(100_000, 4 << 20);
}

function piece(random: Random): readonly [number, number] {
  if (random.chance(0.25)) {
    const edge = random.pick(EDGES.slice(1));
    return [edge, edge];
  }
  if (random.chance(0.15)) return [1, 3000];
  return random.chance(0.5) ? [256 << 10, 1 << 20] : [1000, 300_000];
}

function pauses(random: Random): readonly [number, number] {
  return random.chance(0.4) ? [random.between(1, 30), random.between(0, 6)] : [0, 0];
}

function traffic(random: Random): Traffic {
  return {
    seed: random.between(1, 2 ** 30),
    size: size(random),
    piece: piece(random),
    sendPause: pauses(random),
    readPause: pauses(random),
  };
}

function delay(random: Random): Delay {
  return random.pick<Delay>(['microtask', 'tick', 'immediate', 0, 1, 5, 20]);
}

function act(random: Random): Act {
  return random.weighted<() => Act>([
    [5, () => ({ what: random.pick(['pause', 'unpipe'] as const), for: delay(random) })],
    [3, () => ({ what: random.pick(['listen', 'wrap'] as const), for: delay(random) })],
    [1, () => ({ what: 'cork', for: delay(random) })],
    [2, () => ({ what: 'move', for: delay(random) })],
    [3, () => ({ what: 'mark' })],
    [1, () => ({ what: 'options' })],
  ])();
}

function breakOff(random: Random): Act {
  if (random.chance(0.2)) return { what: 'end' };
  return {
    what: 'destroy',
    who: random.pick(['source', 'sink'] as const),
    how: random.pick(['destroy', 'error', 'reset'] as const),
  };
}

function operations(random: Random, total: number): Operation[] {
  const count = random.chance(0.3) ? 0 : random.between(1, 8);
  const places = Array.from({ length: count }, () => random.between(0, total)).sort((one, other) => one - other);
  const list = places.map((at): Operation => ({ at, act: act(random) }));
  if (random.chance(0.2)) list.push({ at: random.between(places.at(-1) ?? 0, total), act: breakOff(random) });
  return list;
}

function leave(random: Random, total: number): Leave | undefined {
  if (!random.chance(0.15)) return undefined;
  return {
    who: random.pick(['sender', 'receiver'] as const),
    at: random.between(0, total),
    how: random.pick(['destroy', 'reset'] as const),
  };
}

function highWaterMark(random: Random): number | undefined {
  return random.chance(0.2) ? random.pick([1, 1000, 64 << 10, 1 << 20]) : undefined;
}

function line(random: Random): LinePlan {
  const there = traffic(random);
  return {
    from: random.weighted(KINDS),
    to: random.weighted(KINDS),
    via: random.chance(0.3) ? 'pipeline' : 'pipe',
    sourceHighWaterMark: highWaterMark(random),
    sinkHighWaterMark: highWaterMark(random),
    there,
    back: random.chance(0.4) ? traffic(random) : undefined,
    operations: operations(random, there.size),
    leave: leave(random, there.size),
  };
}

/** The session with this number, from a seed. */
export function generate(seed: number, number: number): SessionPlan {
  const random = new Random(seed, number);
  const lines = random.chance(0.4) ? 1 : random.between(2, 5);
  return { lines: Array.from({ length: lines }, () => line(random)) };
}
