import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeCertificate } from '../support/certificate.js';
import { BY_IMPORT, type EndedProcess, runNode } from '../support/node-process.js';
import { sampleDirectory } from '../support/sample-files.js';
import { scratchProject } from '../support/scratch-project.js';
import { deniedWindows, fastBytes, isRerouted, reasons, regionBytes } from '../support/travel.js';
import type { Case } from './case.js';
import type { Observations, WitnessedEvent } from './witness.js';

interface Performance {
  readonly process: EndedProcess;
  readonly observations: Observations;
}

const program = join(import.meta.dirname, 'program.js');
const directory = join(import.meta.dirname, 'cases');
let performances = 0;

async function perform(module: string, title: string, preload: readonly string[]): Promise<Performance> {
  const output = join(scratchProject(), `observations-${performances++}.json`);
  const process = await runNode([...preload, program, module, title, sampleDirectory(), output]);
  if (!existsSync(output)) throw new Error(`nothing was observed: ${JSON.stringify(process)}`);
  return { process, observations: JSON.parse(readFileSync(output, 'utf8')) as Observations };
}

/** What an application causes itself, one after the other: its order is the same every time, across emitters. */
const OWN_EVENTS = /^(?:resume|end|pipe|unpipe|prefinish|finish)\b/;
const OWN_EMITTERS = /^(?:response|stream)/;

interface Comparable {
  /** Events of each emitter, in their order. */
  readonly byEmitter: Readonly<Record<string, readonly string[]>>;
  /** Events of all emitters whose order the application decides, not the thread pool or the network. */
  readonly inOrder: Readonly<Record<string, readonly string[]>>;
  readonly notes: Readonly<Record<string, unknown>>;
}

function without(note: unknown, varying: readonly string[]): unknown {
  if (typeof note !== 'object' || note === null || Array.isArray(note)) return note;
  return Object.fromEntries(Object.entries(note).filter(([key]) => !varying.includes(key)));
}

/** What has happened, by the group that an event belongs to. */
function grouped(
  events: Observations['events'],
  groupOf: (who: string) => string,
  textOf: (event: WitnessedEvent) => string,
): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const event of events) {
    const group = groupOf(event.who);
    groups[group] ??= [];
    groups[group].push(textOf(event));
  }
  return groups;
}

function comparable({ events, notes }: Observations, one: Case): Comparable {
  const { loose = [], varying = [], areRequestsIndependent = false } = one;
  const own = events.filter(({ who, what }) => OWN_EMITTERS.test(who) && OWN_EVENTS.test(what) && !loose.includes(who));
  const requestOf = (who: string): string => (areRequestsIndependent ? (/\d+$/.exec(who)?.[0] ?? '') : 'all');
  const byEmitter = grouped(
    events,
    (who) => who,
    ({ what }) => what,
  );
  const inOrder = grouped(own, requestOf, ({ who, what }) => `${who} ${what}`);
  const kept = Object.entries(notes).filter(([name]) => !varying.includes(name));
  return { byEmitter, inOrder, notes: Object.fromEntries(kept.map(([name, note]) => [name, without(note, varying)])) };
}

/** Piece by piece, so that a failure shows the piece and not everything. */
function expectSame(tuned: Comparable, stock: Comparable): void {
  for (const [who, events] of Object.entries(stock.byEmitter)) expect(tuned.byEmitter[who], who).to.deep.equal(events);
  for (const [name, note] of Object.entries(stock.notes)) expect(tuned.notes[name], name).to.deep.equal(note);
  expect(tuned.inOrder, 'order of events').to.deep.equal(stock.inOrder);
  expect(tuned).to.deep.equal(stock);
}

function expectTravel({ process: { report }, observations }: Performance, { travel }: Case): void {
  const { files } = report ?? {};
  if (files === undefined) throw new Error('no report');
  if ('original' in travel) {
    expect(files.notRerouted).to.deep.equal(travel.original);
    expect(files).to.include({ reroutedStreams: 0, sendfileBytes: 0 });
    expect(regionBytes(files)).to.equal(0);
    return;
  }
  if ('mixed' in travel) expect(reasons(files)).to.deep.include(travel.mixed);
  else expect(reasons(files)).to.deep.equal({});
  if ('rerouted' in travel && travel.rerouted === 0) return;
  expect(isRerouted(files)).to.equal(true);
  if (deniedWindows(files) > 0) return;
  expect(fastBytes(files)).to.be.above(regionBytes(files) / 2);
  if ('mixed' in travel) return;
  expect(files.reroutedStreams).to.equal(travel.rerouted);
  expect(regionBytes(files)).to.equal(observations.streamBytes);
}

for (const module of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const { cases } = (await import(join(directory, module))) as { cases: Record<string, Case> };
  describe(`stock and tuned, ${module.replace('.js', '')}`, () => {
    before(() => makeCertificate(sampleDirectory()));

    for (const [title, one] of Object.entries(cases)) {
      it(title, async () => {
        const [stock, tuned] = await Promise.all([perform(module, title, []), perform(module, title, BY_IMPORT)]);
        const { report: _, ...stockProcess } = stock.process;
        expect(tuned.process).to.include(stockProcess);
        expectSame(comparable(tuned.observations, one), comparable(stock.observations, one));
        expectTravel(tuned, one);
      });
    }
  });
}
