import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Result } from './scenario.js';

/**
 * Measure contenders in turn, so that other work of the machine meets all of them. Every other round goes backwards, and
 * the first round does not count: it warms up caches and compilers.
 *
 * @returns the samples of each contender, in the order of the contenders
 */
export async function interleave<C, S>(
  contenders: readonly C[],
  rounds: number,
  measure: (contender: C) => Promise<S> | S,
): Promise<S[][]> {
  const samples = contenders.map((): S[] => []);
  for (let round = 0; round <= rounds; round++) {
    const turns = contenders.map((contender, index) => ({ contender, index }));
    if (round % 2 === 1) turns.reverse();
    for (const { contender, index } of turns) {
      const sample = await measure(contender);
      // A pause for signals: a measurement may be synchronous.
      await nextTurn();
      if (round > 0) samples[index]?.push(sample);
    }
  }
  return samples;
}

/** The same, by name of the contender. */
export async function interleaveByName<C extends { readonly name: string }, S>(
  contenders: readonly C[],
  rounds: number,
  measure: (contender: C) => Promise<S> | S,
): Promise<Map<string, readonly S[]>> {
  const samples = await interleave(contenders, rounds, measure);
  return new Map(contenders.map(({ name }, index) => [name, samples[index] ?? []]));
}

/** Repeat an action, one after the other. */
export async function repeatedly<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time++) results.push(await act());
  return results;
}

/**
 * Samples of several sets of processes, joined by name of the contender. A process keeps its luck for life: the place of its memory,
 * the choices of the compiler. We have seen a difference of a third of the CPU of a small request.
 */
export function pool<S>(sets: readonly ReadonlyMap<string, readonly S[]>[]): Map<string, readonly S[]> {
  const pooled = new Map<string, readonly S[]>();
  for (const set of sets) {
    for (const [name, samples] of set) pooled.set(name, [...(pooled.get(name) ?? []), ...samples]);
  }
  return pooled;
}

/** Least number of rounds: fewer have no useful spread, and a median of two is a mean. */
const LEAST_ROUNDS = 3;

/** @throws for a figure with too few rounds */
export function checkRounds({ comparisons = [] }: Result): void {
  for (const { id, series } of comparisons) {
    for (const { contender, points, isQuoted } of series) {
      const few = points.find(({ samples }) => samples.length > 0 && samples.length < LEAST_ROUNDS);
      if (few === undefined || isQuoted) continue;
      throw new Error(`${id}: ${contender} has ${few.samples.length} rounds at ${few.x}, of ${LEAST_ROUNDS} at least`);
    }
  }
}
