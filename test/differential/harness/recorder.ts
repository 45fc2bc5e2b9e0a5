import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { type ReadStream, readdirSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { isInstalled } from '../../../src/first-use.js';
import { SAMPLE_SIZES, type SampleName, sampleBytes } from '../../support/files/sample-files.js';
import { type Surroundings, surroundings } from '../files/surroundings.js';

/** Something that happened, to whom, and in which async context. */
export interface WitnessedEvent {
  readonly who: string;
  readonly what: string;
}

/** All that a program has seen, in a form that can be compared with what it sees on another run. */
export interface Observations {
  readonly events: readonly WitnessedEvent[];
  readonly notes: Readonly<Record<string, unknown>>;
  /** Bytes that the watched file streams have read. */
  readonly streamBytes: number;
  /** Whether socket-tune is active. */
  readonly isInstalled: boolean;
  /** Node's objects in the end. */
  readonly surroundings: Surroundings;
}

const STREAM_EVENTS = ['open', 'ready', 'end', 'error', 'close'];
const SOCKET_EVENTS = ['connect', 'timeout', 'end', 'pipe', 'unpipe', 'finish', 'error', 'close'];
const WRITABLE_EVENTS = ['pipe', 'unpipe', 'prefinish', 'finish', 'error', 'close'];

export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  return [error.name, code ?? error.message, syscall ?? ''].join(' ').trim();
}

/** An event's argument; the number of a descriptor is nobody's business. */
function describeArgument(argument: unknown): string {
  if (argument instanceof Error) return describeError(argument);
  return typeof argument === 'boolean' || typeof argument === 'string' ? String(argument) : '';
}

function listenerCounts(emitter: EventEmitter): Record<string, number> {
  const names = emitter.eventNames().map(String).sort();
  return Object.fromEntries(names.map((name) => [name, emitter.listenerCount(name)]));
}

/**
 * Looks at streams, responses and sockets from outside, the way an application can, and writes down what it sees. It must be
 * no consumer of anything: a 'data' listener would take a stream off the path that is to be tested.
 */
export class Witness {
  readonly #events: WitnessedEvent[] = [];
  readonly #notes: Record<string, unknown> = {};
  readonly #snapshots: (() => void)[] = [];
  readonly #context = new AsyncLocalStorage<string>();
  readonly #streams: ReadStream[] = [];
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

  /** Whether bytes are those of a sample file from its beginning, as far as they go. */
  isPrefix(bytes: Uint8Array, name: SampleName): boolean {
    return sampleBytes(name).subarray(0, bytes.length).equals(bytes);
  }

  /** Whether bytes are those of a sample file up to its end. */
  isSuffix(bytes: Uint8Array, name: SampleName): boolean {
    return sampleBytes(name).subarray(-bytes.length).equals(bytes);
  }

  /** Run `act` in an async context of its own, which every event that follows from it is written down with. */
  within<T>(context: string, act: () => T): T {
    return this.#context.run(context, act);
  }

  /** Write an event down, with the async context in which it comes. */
  event(who: string, ...what: readonly unknown[]): void {
    const words = what.map(String).filter((word) => word !== '');
    this.#events.push({ who, what: [...words, `[${this.#context.getStore() ?? '-'}]`].join(' ') });
  }

  /** Write a value down. */
  note(name: string, value: unknown): void {
    if (name in this.#notes) throw new Error(`two notes are called ${name}`);
    this.#notes[name] = value;
  }

  /** Write a value down as it is when the process ends. */
  atEnd(name: string, value: () => unknown): void {
    this.#snapshots.push(() => this.note(name, value()));
  }

  #watch(who: string, emitter: EventEmitter, events: readonly string[]): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => this.event(who, event, ...args.map(describeArgument)));
    }
  }

  /** Take a stream's bytes into account, and nothing else. */
  tally<S extends ReadStream>(stream: S): S {
    this.#streams.push(stream);
    return stream;
  }

  stream<S extends ReadStream>(who: string, stream: S): S {
    this.tally(stream);
    this.#watch(who, stream, STREAM_EVENTS);
    stream.once('resume', () => this.event(who, 'resume'));
    this.atEnd(who, () => ({
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

  /** @param framing bytes that a chunked body's framing took, which is not the same on every run */
  socket<S extends Socket>(who: string, socket: S, framing = (): number => 0): S {
    this.#watch(who, socket, SOCKET_EVENTS);
    this.atEnd(who, () => ({
      bytesWritten: socket.bytesWritten - framing(),
      bytesRead: socket.bytesRead,
      destroyed: socket.destroyed,
      finished: socket.writableFinished,
      length: socket.writableLength,
      needDrain: socket.writableNeedDrain,
      // Whether a write that the end of the connection cancels is told of is a matter of luck, in stock Node too.
      errored: describeArgument(socket.errored).replace('Error ECANCELED write', ''),
      listeners: listenerCounts(socket),
    }));
    return socket;
  }

  response(who: string, response: ServerResponse): void {
    this.#watch(who, response, WRITABLE_EVENTS);
    this.#writable(who, response);
    const { socket } = response;
    const before = socket?.bytesWritten ?? 0;
    response.on('finish', () => {
      // What a logger writes when the response is done. Chunks differ, and so does what their framing takes.
      if (!response.chunkedEncoding && socket !== null) this.note(`${who} sent`, socket.bytesWritten - before);
    });
    this.atEnd(`${who} as a message`, () => ({ headersSent: response.headersSent, finished: response.finished }));
  }

  writable(who: string, writable: Writable): void {
    this.#watch(who, writable, WRITABLE_EVENTS);
    this.#writable(who, writable);
  }

  #writable(who: string, writable: Writable | ServerResponse): void {
    this.atEnd(who, () => ({
      finished: writable.writableFinished,
      ended: writable.writableEnded,
      length: writable.writableLength,
      needDrain: writable.writableNeedDrain,
      corked: writable.writableCorked,
      destroyed: writable.destroyed,
      errored: describeArgument(writable.errored),
      listeners: listenerCounts(writable),
    }));
  }

  observations(): Observations {
    for (const snapshot of this.#snapshots.splice(0)) snapshot();
    this.note('descriptors left', this.descriptors() - this.#descriptors);
    const streamBytes = this.#streams.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    return {
      events: this.#events,
      notes: this.#notes,
      streamBytes,
      isInstalled: isInstalled(),
      surroundings: surroundings(),
    };
  }
}
