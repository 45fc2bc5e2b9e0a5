// Process of a client of HTTPS: takes jobs from its parent, one at a time, and ends with it.

import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Answer, Job, OpenJob, RunJob } from '../client.js';
import { bodyLength } from '../http-connection.js';

const END_OF_HEADER = '\r\n\r\n';

/** One connection, with one request at a time. It counts the bytes of bodies, and keeps none. */
class SecureConnection {
  readonly #socket: TLSSocket;
  readonly #request: string;
  readonly #bodyLength: number;
  #head = '';
  /** Bytes left of the body, once its header is known. */
  #left: number | undefined;
  #finish: () => void = () => undefined;
  readonly #fail: (error: Error) => void;

  private constructor(socket: TLSSocket, { path, bodyLength: length }: OpenJob, fail: (error: Error) => void) {
    this.#socket = socket;
    this.#request = `GET /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    this.#bodyLength = length;
    this.#fail = fail;
    socket.setNoDelay(true);
    socket.on('error', fail);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  static async open(job: OpenJob, fail: (error: Error) => void): Promise<SecureConnection> {
    const socket = connect({ port: job.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new SecureConnection(socket, job, fail);
  }

  ask(finish: () => void): void {
    this.#finish = finish;
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const left = this.#left ?? this.#afterHead(chunk);
    if (left === undefined) return;
    this.#left = this.#left === undefined ? left : left - chunk.length;
    if (this.#left < 0) this.#fail(new Error(`${-this.#left} bytes more than Content-Length promised`));
    if (this.#left !== 0) return;
    this.#left = undefined;
    this.#finish();
  }

  /** @returns bytes left of the body; undefined while the header is not complete */
  #afterHead(chunk: Buffer): number | undefined {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(END_OF_HEADER);
    if (end < 0) return undefined;
    const inHead = this.#head.length - end - END_OF_HEADER.length;
    const length = bodyLength(this.#head.slice(0, end + 2));
    this.#head = '';
    if (length !== this.#bodyLength) this.#fail(new Error(`a body of ${length} bytes instead of ${this.#bodyLength}`));
    return length - inHead;
  }
}

const kept: SecureConnection[] = [];
/** Ends the run under way. */
let failRun: (error: Error) => void = () => undefined;

/** Every connection has a request under way. The process never sleeps, as waking it would cost the server. */
function run({ seconds, requests }: Omit<RunJob, 'kind'>): Promise<number> {
  return new Promise((resolve, reject) => {
    const until = performance.now() + seconds * 1e3;
    let [asked, busy] = [0, 0];
    failRun = reject;
    const ask = (connection: SecureConnection): void => {
      asked++;
      busy++;
      connection.ask(() => {
        busy--;
        if (asked < requests && performance.now() < until) ask(connection);
      });
    };
    for (const connection of kept.slice(0, requests)) ask(connection);
    const poll = (): void => {
      if (busy > 0) setImmediate(poll);
      else resolve(asked);
    };
    poll();
  });
}

async function open(job: OpenJob): Promise<number> {
  for (let index = 0; index < job.connections; index++) {
    kept.push(await SecureConnection.open(job, (error) => failRun(error)));
  }
  return run({ seconds: 0, requests: job.connections });
}

async function perform(job: Job): Promise<number> {
  switch (job.kind) {
    case 'open':
      return await open(job);
    case 'run':
      return await run(job);
    case 'close':
      for (const connection of kept.splice(0)) connection.close();
      return 0;
    default:
      throw new Error(`no such job by HTTPS: ${job.kind}`);
  }
}

async function answer(job: Job): Promise<Answer> {
  const start = performance.now();
  try {
    const requests = await perform(job);
    return { outcome: { requests, seconds: (performance.now() - start) / 1e3, latencies: [] } };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on('message', async (job: Job) => {
  process.send?.(await answer(job), undefined, undefined, (error) => {
    // The parent has ended, so there is no receiver.
    if (error !== null) process.exit(1);
  });
});
