import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { ReadStream } from 'node:fs';
import { readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { SAMPLE_SIZES, type SampleName } from '../support/sample-files.js';
import { parseResponses } from '../support/http-wire.js';

/** All that a program has seen, in a form that can be compared with what it sees on another run. */
export interface Observations {
  readonly events: readonly string[];
  readonly notes: Readonly<Record<string, unknown>>;
}

const STREAM_EVENTS = ['open', 'ready', 'end', 'error', 'close'];
const SOCKET_EVENTS = ['timeout', 'end', 'finish', 'error', 'close'];
const RESPONSE_EVENTS = ['pipe', 'unpipe', 'prefinish', 'finish', 'error', 'close'];

function describeArgument(argument: unknown): string {
  if (argument instanceof Error) {
    const { code, syscall } = argument as NodeJS.ErrnoException;
    return `${argument.name} ${code ?? argument.message} ${syscall ?? ''}`.trim();
  }
  return typeof argument === 'object' || typeof argument === 'function' ? '' : String(argument);
}

function listenerCounts(emitter: EventEmitter): Record<string, number> {
  const names = emitter.eventNames().map(String).sort();
  return Object.fromEntries(names.map((name) => [name, emitter.listenerCount(name)]));
}

/** Bytes as what they are compared by. */
export function digest(bytes: Uint8Array): string {
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

/**
 * Looks at streams, responses and sockets from outside, the way an application can, and writes down what it sees. It must be
 * no consumer of anything: a 'data' listener would take a stream off the path that is to be tested.
 */
export class Witness {
  readonly #events: string[] = [];
  readonly #notes: Record<string, unknown> = {};
  readonly #snapshots: (() => void)[] = [];
  readonly #context = new AsyncLocalStorage<string>();
  readonly #samples: string;
  readonly #descriptors: number;

  constructor(samples: string) {
    this.#samples = samples;
    this.#descriptors = this.descriptors();
  }

  /** How many descriptors the process has open. */
  descriptors(): number {
    return readdirSync('/proc/self/fd').length;
  }

  sample(name: SampleName): string {
    return join(this.#samples, name);
  }

  sizeOf(name: SampleName): number {
    return SAMPLE_SIZES[name];
  }

  /** Run `act` in an async context of its own, which every event that follows from it is written down with. */
  within<T>(context: string, act: () => T): T {
    return this.#context.run(context, act);
  }

  /** Write an event down, with the async context in which it comes. */
  event(text: string): void {
    this.#events.push(`${text} [${this.#context.getStore() ?? '-'}]`);
  }

  /** Write a value down. */
  note(name: string, value: unknown): void {
    if (name in this.#notes) throw new Error(`two notes are called ${name}`);
    this.#notes[name] = value;
  }

  #watch(name: string, emitter: EventEmitter, events: readonly string[], detail: () => string): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => {
        const text = [name, event, ...args.map(describeArgument), detail()].filter((word) => word !== '').join(' ');
        this.event(text);
      });
    }
  }

  /** What is to be written down when the process ends. */
  atEnd(name: string, value: () => unknown): void {
    this.#snapshots.push(() => this.note(name, value()));
  }

  stream<S extends ReadStream>(name: string, stream: S): S {
    this.#watch(name, stream, STREAM_EVENTS, () => '');
    stream.once('resume', () => this.event(`${name} resume`));
    this.atEnd(name, () => ({
      bytesRead: stream.bytesRead,
      flowing: stream.readableFlowing,
      ended: stream.readableEnded,
      aborted: stream.readableAborted,
      didRead: stream.readableDidRead,
      length: stream.readableLength,
      errored: describeArgument(stream.errored),
      destroyed: stream.destroyed,
      closed: stream.closed,
      pending: stream.pending,
      listeners: listenerCounts(stream),
    }));
    return stream;
  }

  socket(name: string, socket: Socket, events: readonly string[] = SOCKET_EVENTS): void {
    this.#watch(name, socket, events, () => '');
    this.atEnd(name, () => ({
      bytesWritten: socket.bytesWritten,
      bytesRead: socket.bytesRead,
      destroyed: socket.destroyed,
      writableFinished: socket.writableFinished,
      writableLength: socket.writableLength,
      needDrain: socket.writableNeedDrain,
      errored: describeArgument(socket.errored),
      listeners: listenerCounts(socket),
    }));
  }

  response(name: string, response: ServerResponse, request?: IncomingMessage): void {
    this.#watch(name, response, RESPONSE_EVENTS, () => '');
    if (request !== undefined) this.#watch(`${name}'s request`, request, ['aborted', 'error', 'close'], () => '');
    this.atEnd(name, () => ({
      finished: response.writableFinished,
      ended: response.writableEnded,
      length: response.writableLength,
      destroyed: response.destroyed,
      headersSent: response.headersSent,
      listeners: listenerCounts(response),
    }));
  }

  /** Write down what a client received: heads, bodies and trailers, without the sizes of chunks. */
  responses(name: string, bytes: Buffer, methods: readonly string[]): void {
    const responses = parseResponses(bytes, methods);
    this.note(
      name,
      responses.map(({ head, body, trailers }) => ({ head, body: digest(body), trailers })),
    );
  }

  observations(): Observations {
    for (const snapshot of this.#snapshots.splice(0)) snapshot();
    this.note('descriptors left', this.descriptors() - this.#descriptors);
    return { events: this.#events, notes: this.#notes };
  }
}
