import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BY_IMPORT, type EndedProcess, type NodeOptions, startNode } from '../support/processes/node-process.js';
import { fetchBody, get, talk } from './talk.js';

/** What the server says of itself, all garbage collected. */
export interface State {
  readonly fds: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** Milliseconds of CPU so far. */
  readonly cpu: number;
  /** Delay of the event loop since the last time it was asked, in milliseconds. */
  readonly delays: { readonly p99: number; readonly most: number };
  /** Code of the last error of a file stream. */
  readonly lastError: string;
  /** After how long responses timed out, in milliseconds. */
  readonly timeouts: readonly number[];
}

/** The server of files in a process of its own. */
export interface Served {
  readonly http: number;
  readonly raw: number;
  readonly unixHttp: string;
  readonly unixRaw: string;
  readonly pid: number;
  state(): Promise<State>;
  /** Ends it normally. Returns its report, or `undefined` if it is stock. */
  stop(): Promise<EndedProcess>;
}

export const MODES = { stock: [], tuned: BY_IMPORT } as const satisfies Record<string, readonly string[]>;

export type Mode = keyof typeof MODES;

/** Longer than the longest of the tests. */
const PATIENCE = 1_200_000;

const program = join(import.meta.dirname, 'server.js');

async function serve(mode: Mode, files: string, options: NodeOptions = {}): Promise<Served> {
  const sockets = mkdtempSync(join(tmpdir(), 'faults-'));
  const node = startNode([...MODES[mode], program, files, sockets], { timeout: PATIENCE, ...options });
  const [, http, raw] = await node.until(/^ports (\d+) (\d+)$/m);
  const port = Number(http);
  return {
    http: port,
    raw: Number(raw),
    unixHttp: join(sockets, 'http'),
    unixRaw: join(sockets, 'raw'),
    pid: node.child.pid ?? -1,
    state: async () => JSON.parse((await fetchBody(port, '/state')).toString()) as State,
    async stop() {
      await talk(port, get('/exit'));
      const ended = await node.ended;
      rmSync(sockets, { recursive: true, force: true });
      return ended;
    },
  };
}

/** Starts a server, uses it, and ends it in any case. Returns the results of use and end. */
export async function withServed<T>(
  mode: Mode,
  files: string,
  use: (served: Served) => Promise<T>,
  options?: NodeOptions,
): Promise<{ readonly result: T; readonly ended: EndedProcess }> {
  const served = await serve(mode, files, options);
  try {
    const result = await use(served);
    return { result, ended: await served.stop() };
  } catch (error) {
    process.kill(-served.pid, 'SIGKILL');
    throw error;
  }
}
