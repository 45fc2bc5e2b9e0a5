import { expect } from 'chai';
import { deniedWindows, fastBytes, isRerouted, reasons, regionBytes } from '../../support/files/travel.js';
import type { EndedProcess } from '../../support/processes/node-process.js';
import type { Observations } from '../harness/recorder.js';
import type { Case } from './scenario.js';
import { unlike } from './surroundings.js';

/** A run of a case. */
export interface Performance {
  readonly process: EndedProcess;
  readonly observations: Observations;
}

/** All the runs of a case, by how they were made. */
export type Performances = Readonly<Record<'stock' | Way, Performance>> & { readonly [CONNECTING]?: Performance };

/** The way of cases that are about sockets which the app opens: some options have to be there before connect(2). */
export const CONNECTING = 'outgoing sockets too';

export const CONNECTING_ENVIRONMENT = {
  SOCKET_TUNE_CONNECT: 'on',
  SOCKET_TUNE_CONNECT_USER_TIMEOUT: '54321ms',
  SOCKET_TUNE_CONNECT_SYNCNT: '3',
};

/** How much of socket-tune there is beside the application. What it sees must be what stock Node shows it, in each way. */
export const WAYS = {
  off: { SOCKET_TUNE: 'off' },
  'options only': { SOCKET_TUNE_SENDFILE: 'off' },
  all: {},
} as const;

export type Way = keyof typeof WAYS;

/** Where files are rerouted. */
const FILE_HOOKS = /^(?:fs\.|stream\.|http\.|net\.Socket\.prototype\.(?:_writeGeneric|_destroy)$)/;

function replaced(way: Way | typeof CONNECTING, performances: Performances): string[] {
  const { surroundings } = performances[way]?.observations ?? {};
  return surroundings === undefined ? [] : unlike(performances.stock.observations.surroundings, surroundings);
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

function expectConnecting(performances: Performances, { opens }: Case): void {
  const report = performances[CONNECTING]?.process.report;
  if (opens === undefined || report === undefined) throw new Error('no report');
  expect(report.outgoing.sockets, 'outgoing sockets').to.equal(opens);
  const verdicts = report.outgoing.outcomes.map(({ constant, verdict }) => `${constant} ${verdict}`);
  if (opens > 0) expect(verdicts).to.include('TCP_USER_TIMEOUT applied').and.to.include('TCP_SYNCNT applied');
  expect(performances.all.process.report?.outgoing.sockets).to.equal(0);
  const isConnect = (name: string): boolean => name === 'net.Socket.prototype.connect';
  expect(replaced(CONNECTING, performances).filter(isConnect)).to.have.length(1);
  expect(replaced('all', performances).filter(isConnect)).to.have.length(0);
}

/** Each way must have done what it is for: a preload that does nothing passes every comparison. */
export function expectWays(performances: Performances, one: Case): void {
  expectNothingInstalled(performances);
  expectOptionsOnly(performances);
  expectTravel(performances.all, one);
  const connecting = performances[CONNECTING];
  if (connecting === undefined) return;
  expectTravel(connecting, one);
  expectConnecting(performances, one);
}
