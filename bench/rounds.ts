import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Result } from './scenario.js';

/**
 * Measure contenders in turn, so that whatever else the machine does meets all of them. Every other round goes backwards, and
 * the first round is thrown away: it warms up caches and compilers.
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
      // What measures without a break would not let a signal come through.
      await nextTurn();
      if (round > 0) samples[index]?.push(sample);
    }
  }
  return samples;
}

/** The same, by the contenders' names. */
export async function interleaveByName<C extends { readonly name: string }, S>(
  contenders: readonly C[],
  rounds: number,
  measure: (contender: C) => Promise<S> | S,
): Promise<Map<string, readonly S[]>> {
  const samples = await interleave(contenders, rounds, measure);
  return new Map(contenders.map(({ name }, index) => [name, samples[index] ?? []]));
}

/** Do the same several times, one after the other. */
export async function repeatedly<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time++) results.push(await act());
  return results;
}

/**
 * Samples of several sets of processes, taken together by the contenders' names. What a process has by luck (where its memory lies,
 * what the compiler makes of it) it has for as long as it lives: seen as a third of the CPU of a small request.
 */
export function pool<S>(sets: readonly ReadonlyMap<string, readonly S[]>[]): Map<string, readonly S[]> {
  const pooled = new Map<string, readonly S[]>();
  for (const set of sets) {
    for (const [name, samples] of set) pooled.set(name, [...(pooled.get(name) ?? []), ...samples]);
  }
  return pooled;
}

/** Fewer rounds have no spread to speak of, and a median of two is a mean. */
const LEAST_ROUNDS = 3;

/** @throws where something was measured in fewer rounds than there must be */
export function checkRounds({ comparisons = [] }: Result): void {
  for (const { id, series } of comparisons) {
    for (const { contender, points, isQuoted } of series) {
      const few = points.find(({ samples }) => samples.length > 0 && samples.length < LEAST_ROUNDS);
      if (few === undefined || isQuoted) continue;
      throw new Error(`${id}: ${contender} has ${few.samples.length} rounds at ${few.x}, of ${LEAST_ROUNDS} at least`);
    }
  }
}
