import { type ChildProcess, spawn } from 'node:child_process';
import { CLIENT_CORE, entry, pinned } from './machine.js';

/** Fetch one thing again and again, with one request at a time on each of some connections that are kept. */
export interface LoadJob {
  readonly kind: 'load';
  readonly port: number;
  readonly path: string;
  readonly bodyLength: number;
  readonly connections: number;
  readonly requests: number;
}

/** Send requests in several writes, with Nagle's algorithm on, one after another on one connection. */
export interface SplitJob {
  readonly kind: 'split';
  readonly port: number;
  /** A request, cut into what each write sends. */
  readonly parts: readonly string[];
  /** Stop after so many requests, or when the time is up. */
  readonly requests: number;
  readonly seconds: number;
}

/** Open a connection, fetch one thing, and close it, again and again. */
export interface ConnectJob {
  readonly kind: 'connect';
  readonly port: number;
  readonly path: string;
  readonly connections: number;
}

export type Job = LoadJob | SplitJob | ConnectJob;

export interface Outcome {
  readonly seconds: number;
  /** Milliseconds of each request; only of a {@link SplitJob}. */
  readonly latencies: readonly number[];
}

/** What the client's process answers to a job. */
export type Answer = { readonly outcome: Outcome } | { readonly error: string };

/** A client in a process and on a core of its own. */
class ClientProcess {
  readonly #process: ChildProcess;

  constructor() {
    const [program, ...rest] = pinned(CLIENT_CORE, [process.execPath, entry('client-process')]);
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

  stop(): void {
    this.#process.disconnect();
  }
}

export type Client = Pick<ClientProcess, 'run'>;

/** Have a client used, and stop it in any case. */
export async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = new ClientProcess();
  try {
    return await use(client);
  } finally {
    client.stop();
  }
}
