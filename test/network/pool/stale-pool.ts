import { join } from 'node:path';
import { BY_IMPORT, runNode } from '../../support/processes/node-process.js';
import { makeCertificate } from '../../support/sockets/certificate.js';

/** How a server closes a connection that is idle. */
export const CLOSINGS = ['FIN', 'RST', '408 and FIN'] as const;

export type Closing = (typeof CLOSINGS)[number];

/** What the server has seen. */
export interface Seen {
  readonly connections: number;
  /** Requests that came more than once. */
  readonly repeated: number;
}

/** What became of the requests by one client to a server that closes in one way. */
export interface Figures extends Seen {
  readonly client: string;
  readonly closing: Closing;
  readonly isSecure: boolean;
  readonly sent: number;
  /** How many failed, by the reason. */
  readonly failed: Readonly<Record<string, number>>;
}

export interface PoolRun {
  readonly figures: readonly Figures[];
  /** Connections that socket-tune has dropped; undefined of a stock process. */
  readonly stale: number | undefined;
}

/**
 * POSTs by a client with a pool, to servers that close its idle connections while it is busy.
 *
 * @param client a key of CLIENTS
 * @param count requests for each way to close, with and without TLS
 * @param directory for a certificate
 * @param preload arguments for Node, in place of those that load the preload
 */
export async function runPool(
  client: string,
  count: number,
  directory: string,
  preload: readonly string[] = BY_IMPORT,
  env: Readonly<Record<string, string>> = {},
): Promise<PoolRun> {
  const { cert } = makeCertificate(directory);
  const program = join(import.meta.dirname, 'pool-process.js');
  const ended = await runNode([...preload, program, client, String(count), directory], {
    env: { NODE_EXTRA_CA_CERTS: cert, ...env },
    timeout: 120_000,
  });
  if (ended.code !== 0) throw new Error(`${client}: ${ended.stderr || ended.stdout}`);
  const lines = ended.stdout.trim().split('\n');
  return { figures: lines.map((line) => JSON.parse(line) as Figures), stale: ended.report?.staleConnections };
}

/** How many requests failed. */
export function failures(figures: readonly Figures[]): number {
  return figures.flatMap(({ failed }) => Object.values(failed)).reduce((sum, count) => sum + count, 0);
}
