import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sampleDirectory } from '../../support/files/sample-files.js';
import { BY_IMPORT, runNode } from '../../support/processes/node-process.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import type { Observations, WitnessedEvent } from '../harness/recorder.js';
import type { Case } from './scenario.js';
import { CONNECTING, CONNECTING_ENVIRONMENT, expectWays, type Performance, type Performances, WAYS } from './ways.js';

const program = join(import.meta.dirname, 'program.js');
const directory = join(import.meta.dirname, 'cases');
let performances = 0;

async function perform(
  module: string,
  title: string,
  preload: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Performance> {
  const output = join(scratchProject(), `observations-${performances++}.json`);
  const process = await runNode([...preload, program, module, title, sampleDirectory(), output], { env });
  if (!existsSync(output)) throw new Error(`nothing was observed: ${JSON.stringify(process)}`);
  return { process, observations: JSON.parse(readFileSync(output, 'utf8')) as Observations };
}

/** A case, stock and tuned in each of the ways, at the same time: there is one run of stock Node for all to be compared with. */
async function performAll(module: string, title: string, one: Case): Promise<Performances> {
  const tuned = (env: Readonly<Record<string, string>>): Promise<Performance> => perform(module, title, BY_IMPORT, env);
  const runs = [perform(module, title, []), tuned(WAYS.off), tuned(WAYS['options only']), tuned(WAYS.all)] as const;
  const [stock, off, optionsOnly, all] = await Promise.all(runs);
  const connecting = one.opens === undefined ? {} : { [CONNECTING]: await tuned(CONNECTING_ENVIRONMENT) };
  return { stock, off, 'options only': optionsOnly, all, ...connecting };
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
function expectSame(way: string, tuned: Comparable, stock: Comparable): void {
  for (const [who, events] of Object.entries(stock.byEmitter))
    expect(tuned.byEmitter[who], `${way}, ${who}`).to.deep.equal(events);
  for (const [name, note] of Object.entries(stock.notes))
    expect(tuned.notes[name], `${way}, ${name}`).to.deep.equal(note);
  expect(tuned.inOrder, `${way}, order of events`).to.deep.equal(stock.inOrder);
  expect(tuned, way).to.deep.equal(stock);
}

for (const module of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const { cases } = (await import(join(directory, module))) as { cases: Record<string, Case> };
  describe(`stock and tuned, ${module.replace('.js', '')}`, () => {
    before(() => makeCertificate(sampleDirectory()));

    for (const [title, one] of Object.entries(cases)) {
      it(title, async () => {
        const { stock, ...tuned } = await performAll(module, title, one);
        const { report: _, ...stockProcess } = stock.process;
        for (const [way, { process, observations }] of Object.entries(tuned)) {
          expect(process, way).to.include(stockProcess);
          expectSame(way, comparable(observations, one), comparable(stock.observations, one));
        }
        expectWays({ stock, ...tuned }, one);
      });
    }
  });
}
