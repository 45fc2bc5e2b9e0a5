import { expect } from 'chai';
import type { RecordedEvent, Recording } from './recorder.js';
import type { Run } from './run.js';

/** What a comparison takes into account. */
export interface Scope {
  /** Notes, and parts of notes, that no two runs share. */
  readonly varying?: readonly string[];
  /** Emitters whose events are a matter of luck. */
  readonly ignored?: readonly string[];
  /**
   * The group in which an event's order is compared across emitters. `undefined` where the thread pool or the network
   * decides it: then only the order of the emitter's own events is compared.
   */
  readonly groupOf?: (event: RecordedEvent) => string | undefined;
}

/** A recording in the form that is compared. */
interface Comparable {
  /** The events of each emitter, in their order. */
  readonly byEmitter: Readonly<Record<string, readonly string[]>>;
  /** The events of each group, in their order. */
  readonly byGroup: Readonly<Record<string, readonly string[]>>;
  readonly notes: Readonly<Record<string, unknown>>;
}

function grouped<T>(events: readonly T[], groupOf: (event: T) => string, describe: (event: T) => string) {
  const groups: Record<string, string[]> = {};
  for (const event of events) {
    const group = groupOf(event);
    groups[group] ??= [];
    groups[group].push(describe(event));
  }
  return groups;
}

function without(note: unknown, varying: readonly string[]): unknown {
  if (typeof note !== 'object' || note === null || Array.isArray(note)) return note;
  return Object.fromEntries(Object.entries(note).filter(([key]) => !varying.includes(key)));
}

function comparable(
  { events: all, notes }: Recording,
  { varying = [], ignored = [], groupOf = () => undefined }: Scope,
): Comparable {
  const events = all.filter(({ who }) => !ignored.includes(who));
  const inGroups = events.flatMap((event) => {
    const group = groupOf(event);
    return group === undefined ? [] : [{ group, ...event }];
  });
  const kept = Object.entries(notes).filter(([name]) => !varying.includes(name));
  return {
    byEmitter: grouped(
      events,
      ({ who }) => who,
      ({ what }) => what,
    ),
    byGroup: grouped(
      inGroups,
      ({ group }) => group,
      ({ who, what }) => `${who} ${what}`,
    ),
    notes: Object.fromEntries(kept.map(([name, note]) => [name, without(note, varying)])),
  };
}

/** The same text for the same recording, in whatever order emitters and notes came. */
export function textOf(recording: Recording): string {
  const { byEmitter, notes } = comparable(recording, {});
  return JSON.stringify(Object.fromEntries(Object.entries({ ...byEmitter, ...notes }).sort()));
}

/** Expects two recordings to be the same. Piece by piece, so that a failure names the piece. */
function expectSame(name: string, tuned: Recording, stock: Recording, scope: Scope = {}): void {
  const [actual, expected] = [comparable(tuned, scope), comparable(stock, scope)];
  for (const [who, events] of Object.entries(expected.byEmitter))
    expect(actual.byEmitter[who], `${name}, ${who}`).to.deep.equal(events);
  for (const [title, note] of Object.entries(expected.notes))
    expect(actual.notes[title], `${name}, ${title}`).to.deep.equal(note);
  expect(actual.byGroup, `${name}, order of events`).to.deep.equal(expected.byGroup);
  expect(actual, name).to.deep.equal(expected);
}

/** Expects two runs to be the same: how the process ended, what it printed, and what each of its processes has seen. */
export function expectSameRun(way: string, tuned: Run, stock: Run, scope?: Scope): void {
  const { report: _, ...process } = stock.process;
  expect(tuned.process, way).to.include(process);
  expect([...tuned.recordings.keys()], way).to.have.members([...stock.recordings.keys()]);
  for (const [name, recordings] of stock.recordings) {
    for (const [index, recording] of recordings.entries()) {
      const other = tuned.recordings.get(name)?.[index];
      if (other === undefined) throw new Error(`${way}: no recording of ${name}`);
      expectSame(`${way}, ${name}`, other, recording, scope);
    }
  }
}
