import { join } from 'node:path';
import { BY_IMPORT, type NodeProcess, startNode } from '../support/processes/node-process.js';
import { makeNetwork } from './network.js';
import { startPostgres } from './postgres.js';

/** A query that is under way when its server disappears: acknowledged but not answered, or not even acknowledged. */
export const QUERIES = ['unacknowledged', 'waiting'] as const;

export type Query = (typeof QUERIES)[number];

/** What became of a query. */
export interface Fate {
  readonly app: 'stock' | 'tuned';
  readonly query: Query;
  /** Undefined: nothing, in the time that it was watched. */
  readonly end: { readonly code: string; readonly milliseconds: number } | undefined;
}

/** How long a server may be silent for the tuned apps, in seconds. */
export const SET_SECONDS = 5;

const ENVIRONMENT = { SOCKET_TUNE_CONNECT_DEAD_PEER: `${SET_SECONDS}s` };

const OUTCOME = /^outcome (.*)$/m;

interface Client extends Pick<Fate, 'app' | 'query'> {
  readonly process: NodeProcess;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function fateOf({ app, query, process }: Client, over: Promise<void>): Promise<Fate> {
  const outcome = process.until(OUTCOME).then(([, text = '']) => JSON.parse(text) as NonNullable<Fate['end']>);
  outcome.catch(() => undefined);
  return { app, query, end: await Promise.race([outcome, over.then(() => undefined)]) };
}

/**
 * A real database in a machine of its own, apps that ask it something by the `pg` package, and a cable that is cut.
 *
 * @param seconds for which the apps are watched
 * @throws where there is no such machine to be had
 */
export async function cutOff(seconds: number): Promise<readonly Fate[]> {
  const network = makeNetwork();
  const closing = [network.close];
  try {
    const database = await startPostgres(network);
    closing.unshift(database.close);
    const start = (app: Fate['app'], query: Query): Client => {
      const program = [join(import.meta.dirname, 'database-client.js'), database.host, String(database.port), query];
      const args = app === 'tuned' ? [...BY_IMPORT, ...program] : program;
      const options = { env: app === 'tuned' ? ENVIRONMENT : {}, timeout: (seconds + 60) * 1e3 };
      return { app, query, process: startNode(args, options) };
    };
    const clients = QUERIES.flatMap((query) => [start('stock', query), start('tuned', query)]);
    closing.unshift(() => {
      for (const { process } of clients) process.child.kill('SIGKILL');
    });
    await Promise.all(clients.map(({ process }) => process.until(/^ready$/m)));
    // Until the queries are acknowledged.
    await pause(300);
    network.cut();
    for (const { process } of clients) process.child.kill('SIGUSR2');
    const over = pause(seconds * 1e3);
    return await Promise.all(clients.map((client) => fateOf(client, over)));
  } finally {
    for (const close of closing) close();
  }
}
