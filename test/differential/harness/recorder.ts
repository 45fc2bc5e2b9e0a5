import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';

/** Something that happened, to whom, and in which async context. */
export interface RecordedEvent {
  readonly who: string;
  readonly what: string;
}

/** What one process has seen of a scenario, as JSON. */
export interface Recording {
  readonly events: readonly RecordedEvent[];
  readonly notes: Readonly<Record<string, unknown>>;
  /** Is not compared: tests check it for each way of running the scenario. */
  readonly facts: Readonly<Record<string, readonly unknown[]>>;
}

/** Shared by all recorders: a process has one for each scenario that it runs. */
const context = new AsyncLocalStorage<string>();

export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  return [error.name, code ?? error.message, syscall ?? ''].join(' ').trim();
}

/** An event's argument. Numbers are left out: a descriptor has another one in each process. */
export function describeArgument(argument: unknown): string {
  if (argument instanceof Error) return describeError(argument);
  return typeof argument === 'boolean' || typeof argument === 'string' ? String(argument) : '';
}

/** Records what a scenario can observe, to be compared with a recording of another process. */
export class Recorder {
  readonly #events: RecordedEvent[] = [];
  readonly #notes: Record<string, unknown> = {};
  readonly #facts: Record<string, unknown[]> = {};
  readonly #atEnd: (() => void)[] = [];

  /** Runs `act` in an async context with a name. The name is recorded with every event that comes in it. */
  within<T>(name: string, act: () => T): T {
    return context.run(name, act);
  }

  event(who: string, ...what: readonly unknown[]): void {
    const words = what.map(String).filter((word) => word !== '');
    const name = context.getStore();
    this.#events.push({ who, what: [...words, ...(name === undefined ? [] : [`[${name}]`])].join(' ') });
  }

  /** Records the events of an emitter. */
  watch(who: string, emitter: EventEmitter, events: readonly string[]): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => this.event(who, event, ...args.map(describeArgument)));
    }
  }

  note(name: string, value: unknown): void {
    if (name in this.#notes) throw new Error(`two notes are called ${name}`);
    this.#notes[name] = value;
  }

  /** Records a value as it is when the process ends. */
  noteAtEnd(name: string, value: () => unknown): void {
    this.#atEnd.push(() => this.note(name, value()));
  }

  /** Records a value as it is when the process ends, for the tests only. A name may have several. */
  factAtEnd(name: string, value: () => unknown): void {
    this.#atEnd.push(() => {
      this.#facts[name] ??= [];
      this.#facts[name].push(value());
    });
  }

  /** Ends the recording. */
  recording(): Recording {
    for (const take of this.#atEnd.splice(0)) take();
    return { events: this.#events, notes: this.#notes, facts: this.#facts };
  }
}
