import { expect } from 'chai';
import type { EndedProcess } from '../support/node-process.js';
import { deniedWindows, fastBytes, isRerouted, reasons, regionBytes } from '../support/travel.js';
import type { Case } from './case.js';
import { unlike } from './surroundings.js';
import type { Observations } from './witness.js';

/** A run of a case. */
export interface Performance {
  readonly process: EndedProcess;
  readonly observations: Observations;
}

/** All the runs of a case, by how they were made. */
export type Performances = Readonly<Record<'stock' | Way, Performance>>;

/** How much of socket-tune there is beside the application. What it sees must be what stock Node shows it, in each way. */
export const WAYS = {
  off: { SOCKET_TUNE: 'off' },
  'options only': { SOCKET_TUNE_SENDFILE: 'off' },
  all: {},
} as const;

export type Way = keyof typeof WAYS;

/** Where files are rerouted. */
const FILE_HOOKS = /^(?:fs\.|stream\.|http\.|net\.Socket\.prototype\.(?:_writeGeneric|_destroy)$)/;

function replaced(way: Way, performances: Performances): string[] {
  return unlike(performances.stock.observations.surroundings, performances[way].observations.surroundings);
}

function expectNothingInstalled(performances: Performances): void {
  const { process, observations } = performances.off;
  expect(process.report, 'report').to.equal(undefined);
  expect(observations.isInstalled, 'is installed').to.equal(false);
  expect(replaced('off', performances), 'replaced').to.deep.equal([]);
}

function expectOptionsOnly(performances: Performances): void {
  const way = 'options only';
  const { report } = performances[way].process;
  if (report === undefined) throw new Error('no report');
  expect(performances[way].observations.isInstalled, 'is installed').to.equal(true);
  expect(report.files).to.deep.equal({
    reroutedStreams: 0,
    sendfileBytes: 0,
    copiedBytes: {},
    notRerouted: {},
    truncatedFiles: 0,
  });
  expect(
    replaced(way, performances).filter((name) => FILE_HOOKS.test(name)),
    'replaced',
  ).to.deep.equal([]);
  // As many as with all: the options are there.
  const tuned = performances.all.process.report?.listeners.map(({ outcomes }) => outcomes.length);
  expect(report.listeners.map(({ outcomes }) => outcomes.length)).to.deep.equal(tuned);
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

/** Each way must have done what it is for: a preload that does nothing passes every comparison. */
export function expectWays(performances: Performances, one: Case): void {
  expectNothingInstalled(performances);
  expectOptionsOnly(performances);
  expectTravel(performances.all, one);
}
