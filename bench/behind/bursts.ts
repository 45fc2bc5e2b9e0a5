import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of requests. */
export interface Fates {
  answered: number;
  /** By status, or by the error of the connection. */
  readonly lost: Map<string, number>;
}

export interface Load {
  /** Of the proxy. */
  readonly port: number;
  readonly pools: number;
  /** Connections of a pool, all of which a burst takes. */
  readonly size: number;
  /** Bursts of each pool after the first one, which opens its connections. */
  readonly rounds: number;
  /** Milliseconds for which the connections are idle, when the last of a burst is answered. */
  readonly idle: readonly [least: number, most: number];
}

/** A POST on a connection of its own, as proxies repeat other requests. Returns its status, or its error. */
function post(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', agent: false }, (response) => {
      response.resume().once('close', () => resolve(response.complete ? String(response.statusCode) : 'cut'));
    });
    asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    asked.end('a=1');
  });
}

async function burst({ port, size }: Load, pool: number, fates: Fates): Promise<void> {
  const ends = await Promise.all(Array.from({ length: size }, () => post(port, `/${pool}`)));
  for (const end of ends) {
    if (end === '200') fates.answered++;
    else fates.lost.set(end, (fates.lost.get(end) ?? 0) + 1);
  }
}

/** Milliseconds between the bursts of two pools: each has the machine for itself. */
const PHASE = 100;

/** Spreads numbers evenly over 0 to 1 in any prefix of the sequence. */
const GOLDEN = 0.618_033_988_75;

/** Bursts of POSTs that come when the connections of their pool have been idle for as long as is given. Each pool has its own phase. */
export async function sendBursts(load: Load): Promise<Fates> {
  const { pools, rounds, idle } = load;
  const [least, most] = idle;
  const fates: Fates = { answered: 0, lost: new Map() };
  const usePool = async (pool: number): Promise<void> => {
    await sleep(pool * PHASE);
    await burst(load, pool, fates);
    for (let round = 0; round < rounds; round++) {
      const position = ((pool * rounds + round) * GOLDEN) % 1;
      await sleep(least + position * (most - least));
      await burst(load, pool, fates);
    }
  };
  await Promise.all(Array.from({ length: pools }, (_, pool) => usePool(pool)));
  return fates;
}

/** Milliseconds after which a server closes a connection that is idle; undefined if it has not after so many. */
export function idleTime(port: number, most: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    const timer = setTimeout(() => {
      resolve(undefined);
      socket.destroy();
    }, most);
    socket.on('data', () => {
      answered = performance.now();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(performance.now() - answered);
    });
  });
}
