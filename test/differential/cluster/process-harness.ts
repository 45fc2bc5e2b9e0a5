import cluster, { type Worker } from 'node:cluster';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import type { Recorder } from '../harness/recorder.js';

/** What a worker does when the primary orders it. */
export type Task = (argument: unknown) => unknown;

/** What a worker says once it takes orders. */
const START = 'start';

interface Order {
  readonly task: string;
  readonly argument: unknown;
}

function describe(value: unknown): unknown {
  if (value instanceof Error) {
    const { code, syscall, message } = value as NodeJS.ErrnoException;
    return { code, syscall, message };
  }
  return typeof value === 'function' ? 'function' : value;
}

/** Ports and processes have other numbers in each run: the first of them is #0 in all, the second #1. */
function numbered(text: string, known: Map<string, string>): string {
  return text.replace(/\b\d{4,}\b/g, (number) => {
    const name = known.get(number) ?? `#${known.size}`;
    known.set(number, name);
    return name;
  });
}

/** What a process of a cluster's scenario has at hand: servers, workers, orders to them, and the recorder. */
export class ProcessHarness {
  /** A port that was free a moment ago, and is the same in all processes. */
  readonly port = Number(process.env.SCENARIO_PORT);
  readonly #recorder: Recorder;
  readonly #known = new Map<string, string>();
  readonly #tasks = new Map<string, Task>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    if (cluster.isWorker) this.#obey();
  }

  note(who: string, what: string, ...values: readonly unknown[]): void {
    const text = [what, ...values.map((value) => JSON.stringify(describe(value)))].join(' ');
    this.#recorder.event(who, numbered(text, this.#known));
  }

  /** Records the events of an emitter. */
  watch<T extends EventEmitter>(who: string, emitter: T, events: readonly string[]): T {
    for (const event of events) emitter.on(event, (...values: unknown[]) => this.note(who, event, ...values));
    return emitter;
  }

  /** Records what happens to a server. */
  server<T extends Server>(who: string, server: T): T {
    server.on('listening', () => this.note(who, 'listening', server.address(), server.listening));
    server.on('drop', () => this.note(who, 'drop'));
    return this.watch(who, server, ['close', 'error']);
  }

  /** A server that answers each connection with who it is. */
  greeter(who = 'server'): Server {
    const name = `worker ${cluster.worker?.id}`;
    return this.server(
      who,
      createServer((socket) => socket.on('error', () => undefined).end(name)),
    );
  }

  /** Forks a worker, and records what happens to it. */
  fork(env?: object): Worker {
    const worker = cluster.fork(env);
    const who = `worker ${worker.id}`;
    this.watch(who, worker, ['online', 'listening', 'error']);
    worker.on('disconnect', () => this.note(who, 'disconnect', worker.exitedAfterDisconnect, worker.isConnected()));
    worker.on('exit', (code, signal) => {
      const { exitedAfterDisconnect } = worker;
      const isListed = cluster.workers?.[worker.id] !== undefined;
      this.note(who, 'exit', code, signal, { exitedAfterDisconnect, isListed, isDead: worker.isDead() });
    });
    for (const event of ['fork', 'online', 'listening', 'disconnect', 'exit']) {
      cluster.on(event, (subject: Worker, ...values: unknown[]) => {
        if (subject === worker) this.note(`cluster, of ${who}`, event, ...values);
      });
    }
    return worker;
  }

  /** Forks a worker, and waits until it takes orders. */
  async ready(env?: object): Promise<Worker> {
    const worker = this.fork(env);
    await this.#answer(worker, START);
    return worker;
  }

  /** Has a worker do one of its tasks. Returns its answer. */
  async order(worker: Worker, task: string, argument?: unknown): Promise<unknown> {
    const answered = this.#answer(worker, task);
    worker.send({ task, argument });
    return await answered;
  }

  #answer(worker: Worker, task: string): Promise<unknown> {
    return new Promise((resolve) => {
      const onMessage = (message: { done?: string; answer?: unknown }): void => {
        if (message.done !== task) return;
        worker.off('message', onMessage);
        resolve(message.answer);
      };
      worker.on('message', onMessage);
    });
  }

  /** Names a task of this worker. */
  on(name: string, task: Task): void {
    this.#tasks.set(name, task);
  }

  /** All that a server sends to a client that sends nothing, or the code of the error. */
  greeting(port: number, host = '127.0.0.1'): Promise<string> {
    return new Promise((resolve) => {
      let text = '';
      const socket = connect({ port, host }).setEncoding('utf8');
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('end', () => resolve(text));
      socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
    });
  }

  /** Asks until each of these workers has answered. Returns all answers. */
  async heard(port: number, workers: readonly Worker[], host?: string): Promise<readonly string[]> {
    const answers = new Set<string>();
    const wanted = workers.map(({ id }) => `worker ${id}`);
    while (wanted.some((name) => !answers.has(name))) answers.add(await this.greeting(port, host));
    return [...answers].sort();
  }

  /** Disconnects workers, and waits for their exit. */
  async end(...workers: readonly Worker[]): Promise<void> {
    await Promise.all(
      workers.map(async (worker) => {
        const gone = once(worker, 'exit');
        worker.disconnect();
        await gone;
      }),
    );
  }

  #obey(): void {
    process.on('message', async ({ task, argument }: Order) => {
      const answer = await this.#tasks.get(task)?.(argument);
      if (process.connected) process.send?.({ done: task, answer });
    });
    process.send?.({ done: START });
  }
}
