import { collect, type Figures, roundsOf, type Samples } from './figures.js';
import { CONTENDERS, HTTP_PORT, type Lane, type Workshop, withLanes } from './lane.js';
import { SERVER_ADDRESS } from './link.js';
import { fileName, link, nameOf } from './points.js';
import { warmUp } from './workshop.js';

/** Ceilings as on some systems for small devices, and some that were tuned for many connections. */
const CEILING = 100_000;

/** Sysctls of the servers' namespaces at the start of the servers. */
const SMALL_BUFFERS: Readonly<Record<string, string>> = {
  'ipv4/tcp_wmem': `4096 16384 ${CEILING}`,
  'ipv4/tcp_rmem': `4096 87380 ${CEILING}`,
};

const POINTS = [link(20, 100), link(100, 100)] as const;
const BODY = { megabytes: 20 } as const;
const MOST_MS = 2000;
const ROUNDS = 3;

interface Transferred {
  readonly bytes: number;
  readonly milliseconds: number;
}

function megabits({ bytes, milliseconds }: Transferred): number {
  return (bytes * 8) / milliseconds / 1e3;
}

async function measure(lane: Lane): Promise<Readonly<Record<'down' | 'up', number>>> {
  const body = fileName(BODY);
  const down = await lane.ask<Transferred>('get', SERVER_ADDRESS, HTTP_PORT, `/file/${body}`, 1, 0, MOST_MS);
  const up = await lane.ask<Transferred>('put', SERVER_ADDRESS, HTTP_PORT, body, 1, MOST_MS);
  return { down: megabits(down), up: megabits(up) };
}

/** Effect of the presets' floors where the kernel's own ceiling for buffers is low. */
export async function smallBuffers(workshop: Workshop): Promise<Figures[]> {
  const rows: Record<'down' | 'up', { x: string; samples: Samples }[]> = { down: [], up: [] };
  const environment = (contender: string): Readonly<Record<string, string>> => ({
    ...workshop.environment(contender),
    SOCKET_TUNE_REPORT: `${workshop.report(contender)}.small-buffers`,
  });
  await withLanes(CONTENDERS, { ...workshop, environment, settings: SMALL_BUFFERS }, async (lanes) => {
    await Promise.all(lanes.map(warmUp));
    for (const point of POINTS) {
      const of = await collect(lanes, point, roundsOf({ quick: false }, ROUNDS), measure, {
        better: { down: 'higher', up: 'higher' },
      });
      for (const name of ['down', 'up'] as const) rows[name].push({ x: nameOf(point), samples: of(name) });
    }
  });
  const common = { unit: 'Mbit/s', better: 'higher', kind: 'bars', xTitle: 'round trip, rate' } as const;
  return [
    {
      ...common,
      id: 'link-small-buffers-file',
      title: 'Download of a file from a machine whose kernel keeps buffers small',
      what: `How fast a file comes through where net.ipv4.tcp_wmem ends at ${CEILING} bytes.`,
      rows: rows.down,
    },
    {
      ...common,
      id: 'link-small-buffers-upload',
      title: 'Upload to a machine whose kernel keeps buffers small',
      what: `How fast a large body comes through where net.ipv4.tcp_rmem ends at ${CEILING} bytes.`,
      rows: rows.up,
    },
  ];
}
