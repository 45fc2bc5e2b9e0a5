import { bytesOf, framedLength, textOf } from './bytes.js';
import type {
  Change,
  Connection,
  Data,
  Delay,
  Exchange,
  FileContent,
  FileStep,
  Reader,
  Session,
  Step,
} from './program.js';
import { SENDFILE_MIN } from './program.js';
import { Random } from './random.js';
import { oddHex, randomText } from './texts.js';

const DELAYS: readonly (readonly [number, Delay])[] = [
  [2, 'microtask'],
  [2, 'tick'],
  [3, 'immediate'],
  [2, 1],
  [2, 5],
  [1, 30],
];

function seedOf(random: Random): number {
  return random.between(1, 2 ** 31);
}

/** Sizes around every limit of the code. Large ones are rare, as they take most of the time. */
function fileSize(random: Random): number {
  return random.weighted<() => number>([
    [2, () => random.pick([0, 1, 2, 3])],
    [5, () => random.between(1, 4096)],
    [5, () => random.between(4096, SENDFILE_MIN - 1)],
    [3, () => random.pick([4096, 16_384, SENDFILE_MIN, 1 << 20, 2 << 20]) + random.between(-1, 1)],
    [2, () => random.between(SENDFILE_MIN, 300_000)],
    [1, () => random.between(300_000, 3 << 20)],
  ])();
}

function highWaterMark(random: Random, size: number): number | undefined {
  if (random.chance(0.6)) return undefined;
  // Each read of a few bytes needs the thread pool.
  const small = size <= 3000 ? [1, 7, 100] : [];
  return random.pick([...small, 4096, 16_384, 65_535, 65_537, 1 << 20, ...(random.chance(0.2) ? [0] : [])]);
}

function range(random: Random, size: number): Pick<FileStep, 'start' | 'end'> {
  if (random.chance(0.5)) return {};
  const start = random.chance(0.8) ? random.between(0, size) : size + random.between(0, 10);
  const end = start + random.pick([0, 1, random.between(0, size), random.between(0, 3 << 20)]);
  return random.weighted<Pick<FileStep, 'start' | 'end'>>([
    [2, { start }],
    [1, { end }],
    [3, { start, end }],
  ]);
}

/** Above this a text must not have more bytes than characters, if it goes into chunks. */
const SHORT_TEXT = 200;

/**
 * Whether Node itself sends such a write in chunks as it should. It frames by a length that spoilt base64 and hex do not have,
 * which ends the body if they have no byte. Node 26 waits for a 'drain' that never comes, where a response has counted bytes
 * and its socket characters.
 */
function isFramedRight(data: Data): boolean {
  const { length } = bytesOf(data);
  if (length === 0 || framedLength(data) !== length) return false;
  return data.as !== 'string' || length <= Math.max(textOf(data).length, SHORT_TEXT);
}

/** Makes the steps of one session, and its files with them. */
class Maker {
  readonly files: FileContent[] = [];
  readonly #random: Random;
  readonly #shared: number[] = [];
  #hasCut = false;

  constructor(random: Random) {
    this.#random = random;
  }

  #file(size: number): number {
    return this.files.push({ size, seed: seedOf(this.#random) }) - 1;
  }

  data(isFramed: boolean): Data {
    const random = this.#random;
    for (;;) {
      const data = random.chance(0.4) ? this.#bytes() : this.#text();
      if (!isFramed || isFramedRight(data)) return data;
    }
  }

  #bytes(): Data {
    const random = this.#random;
    const size = random.weighted([
      [1, 0],
      [6, random.between(1, 2000)],
      [2, random.between(2000, 40_000)],
      [1, random.between(40_000, 300_000)],
    ]);
    return { as: random.chance(0.8) ? 'Buffer' : 'Uint8Array', size, seed: seedOf(random) };
  }

  #text(): Data {
    const random = this.#random;
    const [text, encoding] = randomText(random, random.between(0, 40), true);
    const repeat = random.weighted([
      [5, 1],
      [2, random.between(2, 30)],
      [1, random.between(30, 2000)],
    ]);
    return { as: 'string', text, repeat, encoding };
  }

  /** The missing bytes of a truncated file can be counted only if the rest of the connection is complete. */
  beginConnection(): void {
    this.#hasCut = false;
  }

  #change(size: number, ends: boolean): Change {
    const random = this.#random;
    const shrinking = this.#hasCut ? [] : (['written anew', 'cut'] as const);
    const what = random.pick<Change['what']>(['replaced', 'removed', 'rewritten', ...shrinking]);
    if (what === 'cut' || what === 'written anew') this.#hasCut = true;
    const to = {
      size: what === 'cut' ? random.pick([0, random.between(0, size)]) : fileSize(random),
      seed: seedOf(random),
    };
    const on = random.pick<Change['on']>(['end', 'close', ...(ends ? (['finish'] as const) : [])]);
    return { what, on, by: random.chance(0.5) ? 'server' : 'client', to };
  }

  #fileStep(ends: boolean): FileStep {
    const random = this.#random;
    const isChanged = random.chance(0.4);
    const known = !isChanged && this.#shared.length > 0 && random.chance(0.5) ? random.pick(this.#shared) : undefined;
    const file = known ?? this.#file(fileSize(random));
    if (!isChanged && known === undefined) this.#shared.push(file);
    const size = this.files[file]?.size ?? 0;
    const by = random.weighted<FileStep['by']>([
      [4, 'path'],
      [2, 'fd'],
      [1, 'FileHandle'],
    ]);
    const mark = highWaterMark(random, size);
    // A FileHandle can only be closed by a stream that has taken it.
    const isLeftOpen = by === 'fd' && random.chance(0.2);
    const change = isChanged ? this.#change(size, ends) : undefined;
    return {
      do: 'file',
      file,
      by,
      // pipeline() with a callback always ends its destination.
      via: random.pick(ends ? ['pipe', 'pipe', 'pipeline', 'promises'] : ['pipe', 'pipe', 'promises']),
      ...range(random, size),
      ...(mark === undefined ? {} : { highWaterMark: mark }),
      ...(isLeftOpen ? { autoClose: false as const } : {}),
      ends,
      // A descriptor that is left open has no 'close'.
      ...(change === undefined ? {} : { change: isLeftOpen ? { ...change, on: 'end' } : change }),
    };
  }

  steps(isFramed: boolean, mayFill: boolean, mayHaveDefault: boolean): Step[] {
    const random = this.#random;
    const steps = this.#firstStep(mayFill, mayHaveDefault);
    const count = random.between(0, 5);
    for (let index = 0; index < count; index++) {
      steps.push(
        random.weighted<() => Step>([
          [4, () => this.#write(isFramed, mayHaveDefault)],
          // Node 22 ends a corked body ahead of its last chunk, and Node 24 may wait for a 'drain' that never comes.
          [isFramed ? 0 : 2, () => ({ do: 'cork', for: random.weighted(DELAYS) })],
          [1, () => ({ do: 'wait', for: random.weighted(DELAYS) })],
          [4, () => this.#fileStep(false)],
        ])(),
      );
    }
    if (random.chance(0.6)) steps.push(this.#fileStep(true));
    else steps.push(random.chance(0.5) ? { do: 'end' } : { do: 'end', data: this.data(isFramed) });
    return steps;
  }

  #firstStep(mayFill: boolean, isAlone: boolean): Step[] {
    const random = this.#random;
    if (mayFill) return [{ do: 'fill', block: random.pick([1000, 4000, random.between(1, 9000)]) }];
    if (!isAlone || random.chance(0.9)) return [];
    return [{ do: 'write', data: { as: 'string', text: oddHex(random), repeat: 1, encoding: 'hex' } }];
  }

  #write(isFramed: boolean, mayHaveDefault: boolean): Step {
    const data = this.data(isFramed);
    if (data.as !== 'string' || !mayHaveDefault || !this.#random.chance(0.2)) return { do: 'write', data };
    return { do: 'write', data: { ...data, isDefault: true } };
  }
}

function reader(random: Random, isFilled: boolean): Reader {
  const pauses = Array.from(
    {
      length: random.weighted([
        [5, 0],
        [2, 1],
        [1, 4],
      ]),
    },
    () => ({
      after: random.between(1, random.pick([100, 10_000, 1 << 20])),
      milliseconds: random.between(1, 40),
    }),
  );
  return {
    starts: isFilled || random.chance(0.15) ? 'when the server stalls' : 'at once',
    ...(random.chance(0.3) ? { receiveBuffer: random.pick([70_000, 130_000, 300_000]) } : {}),
    pauses: pauses.sort((one, other) => one.after - other.after),
  };
}

function exchange(
  random: Random,
  maker: Maker,
  protocol: Session['protocol'],
  isLast: boolean,
  isFilled: boolean,
): Exchange {
  if (protocol === 'raw') return { method: 'GET', framing: 'close', steps: maker.steps(false, isFilled, true) };
  const framing = random.pick<Exchange['framing']>([
    'length',
    'length',
    'chunked',
    'chunked',
    ...(isLast ? (['close'] as const) : []),
  ]);
  const method = random.chance(0.07) ? 'HEAD' : 'GET';
  const mayFill = isFilled && framing !== 'length' && method === 'GET';
  return { method, framing, steps: maker.steps(framing === 'chunked', mayFill, false) };
}

function connection(random: Random, maker: Maker, protocol: Session['protocol']): Connection {
  maker.beginConnection();
  const count =
    protocol === 'raw'
      ? 1
      : random.weighted([
          [2, 1],
          [2, 2],
          [2, 3],
          [1, 6],
        ]);
  const isFilled = random.chance(0.3);
  const exchanges = Array.from({ length: count }, (_, index) =>
    exchange(random, maker, protocol, index === count - 1, isFilled && index === 0),
  );
  // A client that leaves when it has a promised length may do so before the server has come to its file's end.
  const last = exchanges.at(-1);
  const mayLeave = last?.framing === 'chunked' && last.method === 'GET';
  return {
    reader: reader(random, isFilled),
    ...(isFilled || random.chance(0.3) ? { sendBuffer: random.pick([10_000, 30_000, 100_000]) } : {}),
    ...(random.chance(0.3) ? { noDelay: true as const } : {}),
    isPipelined: random.chance(0.5),
    endedBy: mayLeave ? random.pick(['server', 'client']) : 'server',
    exchanges,
  };
}

/** The session of this number, the same for the same seed. */
export function generate(seed: number, number: number): Session {
  const random = new Random(seed, number);
  const protocol = random.pick(['raw', 'http'] as const);
  const transport = random.pick(['tcp', 'tcp', 'unix'] as const);
  const maker = new Maker(random);
  const connections = Array.from(
    {
      length: random.weighted([
        [3, 1],
        [2, 2],
        [1, 4],
      ]),
    },
    () => connection(random, maker, protocol),
  );
  return { protocol, transport, files: maker.files, connections };
}
