import { type Client, withClient } from './client.js';
import { type Contender, howFilesWent, httpLineup } from './contenders.js';
import type { Holding } from './process-usage.js';
import type { Cell, Comparison, Effort, Result, Scenario, Series, Table } from './scenario.js';
import { kilobytes, sizeLabel, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median } from './statistics.js';

const BODY = kilobytes(100 << 10);

/** Clients at a time that request a file and read nothing. Each takes some 2.5 MB of kernel memory. */
const readersFor = ({ quick }: Effort): readonly number[] => (quick ? [0, 10, 50] : [0, 1, 10, 50, 200]);
const roundsFor = ({ quick }: Effort): number => (quick ? 3 : 5);

/** Resources of each contender, by number of readers, in the order of the rounds. */
type Held = ReadonlyMap<string, readonly (readonly Holding[])[]>;

async function hold(client: Client, { server }: Contender, readers: readonly number[]): Promise<Holding[]> {
  // The first request allocates the parts that all requests share.
  const first = await client.openLoad({
    port: server.port,
    protocol: 'http',
    path: BODY.name,
    bodyLength: BODY.bytes,
    connections: 1,
  });
  await first.close();
  const held: Holding[] = [];
  let now = 0;
  for (const count of readers) {
    await client.run({ kind: 'hold', port: server.port, path: BODY.name, connections: count - now });
    now = count;
    await server.idle();
    held.push(server.holding());
  }
  await client.run({ kind: 'close' });
  return held;
}

/** One round, with new processes, one at a time: a process may keep memory that it has used. */
async function round(client: Client, scratch: string, effort: Effort, into: Map<string, Holding[][]>) {
  const { starting, missing } = httpLineup(scratch, scratch, effort);
  await withServers(starting, async (contenders) => {
    for (const contender of contenders) {
      const rounds = into.get(contender.name) ?? [];
      into.set(contender.name, rounds);
      rounds.push(await hold(client, contender, readersFor(effort)));
    }
  });
  return missing;
}

function at(held: Held, contender: string, index: number, of: (held: Holding) => number): number[] {
  return (held.get(contender) ?? []).flatMap((heldByCount) => {
    const one = heldByCount[index];
    return one === undefined ? [] : [of(one)];
  });
}

/** Growth by the readers: median of the rounds. */
function perReader(held: Held, contender: string, readers: readonly number[], of: (held: Holding) => number): number {
  const last = readers.length - 1;
  const before = at(held, contender, 0, of);
  const after = at(held, contender, last, of);
  return median(after.map((value, index) => (value - (before[index] ?? Number.NaN)) / (readers[last] ?? Number.NaN)));
}

function table(held: Held, readers: readonly number[]): Table {
  const row = (contender: string): Cell[] => [
    contender,
    median(at(held, contender, 0, ({ pssBytes }) => pssBytes / 1e6)),
    perReader(held, contender, readers, ({ rssBytes }) => rssBytes / 1e3),
    perReader(held, contender, readers, ({ pssBytes }) => pssBytes / 1e3),
    perReader(held, contender, readers, ({ descriptors }) => descriptors),
  ];
  return {
    title: `A client that asks for ${sizeLabel(BODY.bytes)} and does not read: what each adds, by ${readers.at(-1)} of them`,
    columns: ['server', 'PSS of none, MB', 'RSS, KB', 'PSS, KB', 'descriptors'],
    rows: [...held.keys()].map(row),
  };
}

function series(held: Held, readers: readonly number[], of: (held: Holding) => number): Series[] {
  return [...held.keys()].map((contender) => ({
    contender,
    points: readers.map((count, index) => ({ x: count, samples: at(held, contender, index, of) })),
  }));
}

function comparisons(held: Held, readers: readonly number[]): Comparison[] {
  const axis = { kind: 'curve', better: 'lower', xTitle: 'clients that do not read' } as const;
  return [
    {
      id: 'slow-readers-memory',
      title: 'Memory of a server, by clients that do not read',
      what: 'Clients that ask for a large file and take none of it: what that makes the server’s process hold.',
      unit: 'MB (PSS)',
      ...axis,
      series: series(held, readers, ({ pssBytes }) => pssBytes / 1e6),
    },
    {
      id: 'slow-readers-rss',
      title: 'Memory of a server, with what it shares, by clients that do not read',
      what: 'The same, with memory that is shared with other processes counted in full.',
      unit: 'MB (RSS)',
      ...axis,
      series: series(held, readers, ({ rssBytes }) => rssBytes / 1e6),
    },
    {
      id: 'slow-readers-descriptors',
      title: 'Open descriptors of a server, by clients that do not read',
      what: 'How many connections and files the server’s process has open.',
      unit: 'descriptors',
      ...axis,
      series: series(held, readers, ({ descriptors }) => descriptors),
    },
  ];
}

function run(effort: Effort): Promise<Result> {
  const readers = readersFor(effort);
  return withScratch(async (scratch) => {
    writeBodies(scratch, [BODY]);
    const held = new Map<string, Holding[][]>();
    const missing = await withClient(async (client) => {
      let notThere: readonly string[] = [];
      for (let count = 0; count < roundsFor(effort); count++) notThere = await round(client, scratch, effort, held);
      return notThere;
    });
    return {
      tables: [table(held, readers)],
      comparisons: comparisons(held, readers),
      notes: [
        `medians of ${roundsFor(effort)} rounds, each with new processes`,
        'what the kernel holds for a socket is not counted: up to the size of its send buffer for whoever copies into it, and references to the page cache by sendfile',
        howFilesWent(scratch),
        ...missing,
      ],
    };
  });
}

export const slowReaders: Scenario = {
  name: 'slow-readers',
  what: 'memory and open files that a server needs for clients that ask for a file and do not read it',
  run,
};
