import { join } from 'node:path';
import { entry, PRELOAD } from '../machine.js';
import { type Server, startServer } from '../server.js';
import { type Fates, idleTime, type Load, sendBursts } from './bursts.js';
import type { PoolingProxy } from './proxy.js';

/** Stock Node closes after 5 s, and some releases a second later. */
const MOST_IDLE = 10_000;

/** An app, stock or tuned, behind a proxy. */
export interface Lane {
  readonly proxy: string;
  readonly isTuned: boolean;
  send(load: Omit<Load, 'port'>): Promise<Fates>;
  stop(): Promise<void>;
}

function startApp(environment: Readonly<Record<string, string>> | undefined): Promise<Server> {
  const preload = environment === undefined ? [] : ['--import', PRELOAD];
  return startServer([process.execPath, ...preload, entry('apps/answer-posts')], { environment: environment ?? {} });
}

/**
 * Start an app and a proxy in front of it.
 *
 * @param size connections of a pool
 */
export async function startLane(
  proxy: PoolingProxy,
  isTuned: boolean,
  { pools, size, directory }: { pools: number; size: number; directory: string },
): Promise<Lane> {
  const app = await startApp(isTuned ? { SOCKET_TUNE_BEHIND: proxy.behind } : undefined);
  const files = join(directory, `${proxy.name}-${isTuned ? 'tuned' : 'stock'}`);
  const front = await proxy.start(app.port, pools, size, files).catch(async (error: unknown) => {
    await app.stop();
    throw error;
  });
  return {
    proxy: proxy.name,
    isTuned,
    send: (load) => sendBursts({ ...load, port: front.port }),
    async stop() {
      await front.stop();
      await app.stop();
    },
  };
}

/** Milliseconds after which this Node, stock, closes a connection that is idle: whole seconds. */
export async function stockIdleTime(): Promise<number> {
  const app = await startApp(undefined);
  try {
    const idle = await idleTime(app.port, MOST_IDLE);
    if (idle === undefined) throw new Error(`stock Node has not closed an idle connection after ${MOST_IDLE} ms`);
    return Math.round(idle / 1000) * 1000;
  } finally {
    await app.stop();
  }
}
