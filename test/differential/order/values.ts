import { Random } from '../../fuzz/session/random.js';

/** In how many ways an app can change its mind about a file that it has piped, before the first byte can have been read. */
export const DIMENSIONS = {
  source: ['path', 'descriptor', 'FileHandle'],
  piping: ['pipe', 'pipeline', 'pipeline of promises', "pipe in 'open'", "pipe in 'ready'", 'pipe in a timer'],
  delay: [
    'microtask',
    'two microtasks',
    'tick',
    'immediate',
    'immediate after a microtask',
    "immediate in 'open'",
    "once('open')",
    "immediate after once('open')",
  ],
  act: [
    'header',
    'status 404 and end',
    'write ahead',
    'destroy',
    'unpipe',
    'pause',
    'second pipe',
    "'data' listener",
    'encoding',
    'cork',
  ],
  size: [1, 3000, 63 << 10, 65_537, 1 << 20, 3 << 20],
  protocol: ['http', 'raw'],
} as const;

type Dimensions = typeof DIMENSIONS;
type Dimension = keyof Dimensions;

/** What makes a scenario. */
export type Values = { readonly [D in Dimension]: Dimensions[D][number] };

export function titleOf({ source, piping, delay, act, size, protocol }: Values): string {
  return `${source}, ${piping}, ${delay}, ${act}, ${size} bytes, ${protocol}`;
}

/** Whether an app can do that, and stock Node does not leave it to chance what comes of it. */
function isPossible({ source, piping, delay, act, protocol }: Values): boolean {
  const needsOpen = piping.endsWith("'open'") || piping.endsWith("'ready'");
  const waitsForOpen = delay.includes('open');
  // A stream on a descriptor has neither event.
  if (source !== 'path' && (needsOpen || waitsForOpen)) return false;
  // By then it has been open for long; and immediates that a timer sets race with the thread pool.
  if (piping === 'pipe in a timer' && (waitsForOpen || delay.startsWith('immediate'))) return false;
  return protocol === 'http' || (act !== 'header' && act !== 'status 404 and end');
}

/** Every combination that there is. */
export function allValues(): Values[] {
  const { source, piping, delay, act, size, protocol } = DIMENSIONS;
  return act
    .flatMap((one) => source.map((two) => ({ act: one, source: two })))
    .flatMap((some) => piping.map((next) => ({ ...some, piping: next })))
    .flatMap((some) => delay.map((next) => ({ ...some, delay: next })))
    .flatMap((some) => size.map((next) => ({ ...some, size: next })))
    .flatMap((some) => protocol.map((next) => ({ ...some, protocol: next })))
    .filter(isPossible);
}

/** All combinations of values of so many dimensions that a scenario has. */
function combinations(values: Values, of: number): string[] {
  const named = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  let sets: string[][] = [[]];
  for (const value of named) sets = [...sets, ...sets.filter((set) => set.length < of).map((set) => [...set, value])];
  return sets.filter((set) => set.length === of).map((set) => set.join(', '));
}

/** Scenarios in which every possible combination of values of any so many dimensions comes up, chosen by a seed. */
export function covering(of: number, seed: number): Values[] {
  const random = new Random(seed);
  const shuffled = allValues()
    .map((values) => ({ values, rank: random.next() }))
    .sort((one, other) => one.rank - other.rank);
  const covered = new Set<string>();
  return shuffled.flatMap(({ values }) => {
    const fresh = combinations(values, of).filter((combination) => !covered.has(combination));
    for (const combination of fresh) covered.add(combination);
    return fresh.length > 0 ? [values] : [];
  });
}
