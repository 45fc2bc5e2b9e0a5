import { type ChildProcess, spawn } from 'node:child_process';
import type { Done, LoadClient, Target } from './load-client.js';
import { CLIENT_CORE, entry, pinned } from './machine.js';

/** Open connections, with one request on each. */
export interface OpenJob extends Target {
  readonly kind: 'open';
}

/** Go on with one request at a time on each open connection. */
export interface RunJob {
  readonly kind: 'run';
  readonly seconds: number;
  readonly requests: number;
}

/** Open connections, send one request on each, and read nothing. */
export interface HoldJob {
  readonly kind: 'hold';
  readonly port: number;
  readonly path: string;
  readonly connections: number;
}

/** Close all open connections. */
export interface CloseJob {
  readonly kind: 'close';
}

/** Send a request again and again on one connection, with Nagle's algorithm on. */
export interface RepeatJob {
  readonly kind: 'repeat';
  readonly port: number;
  /** A request, as the bytes of each write. */
  readonly parts: readonly string[];
  /** Limits: a number of requests, or a time. */
  readonly requests: number;
  readonly seconds: number;
}

/** One request a connection, again and again. */
export interface ConnectJob {
  readonly kind: 'connect';
  readonly port: number;
  readonly path: string;
  readonly connections: number;
}

export type Job = OpenJob | RunJob | HoldJob | CloseJob | RepeatJob | ConnectJob;

export interface Outcome extends Done {
  /** Milliseconds of each request, for a {@link RepeatJob} only. */
  readonly latencies: readonly number[];
}

/** Answer of the client's process to a job. */
export type Answer = { readonly outcome: Outcome } | { readonly error: string };

/** Client with a process and a core of its own. */
class ClientProcess {
  readonly #process: ChildProcess;

  constructor(module: string) {
    const [program, ...rest] = pinned(CLIENT_CORE, [process.execPath, entry(module)]);
    this.#process = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  async run(job: Job): Promise<Outcome> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const ended = (): void => reject(new Error('the client has ended'));
      this.#process.once('exit', ended);
      this.#process.once('message', (message: Answer) => {
        this.#process.off('exit', ended);
        resolve(message);
      });
      this.#process.send(job);
    });
    if ('error' in answer) throw new Error(`client: ${answer.error}`);
    return answer.outcome;
  }

  async openLoad(target: Target): Promise<LoadClient> {
    await this.run({ kind: 'open', ...target });
    return {
      run: ({ seconds, requests = Number.MAX_SAFE_INTEGER }) => this.run({ kind: 'run', seconds, requests }),
      close: async () => {
        await this.run({ kind: 'close' });
      },
    };
  }

  stop(): void {
    this.#process.disconnect();
  }
}

export type Client = Pick<ClientProcess, 'run' | 'openLoad'>;

/** Run `use` with a client, and stop it in any case. `module` is what takes the jobs in its process. */
export async function withClient<T>(use: (client: Client) => Promise<T>, module = 'client-process'): Promise<T> {
  const client = new ClientProcess(module);
  try {
    return await use(client);
  } finally {
    client.stop();
  }
}
