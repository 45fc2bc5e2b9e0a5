import { expect } from 'chai';
import { deniedWindows, fastBytes, isRerouted, reasons, regionBytes } from '../../support/files/travel.js';
import { mainRecording, type Run, tuned } from '../harness/run.js';
import { type FileScenario, stateOf, streamBytes } from './scenario.js';
import { unlike } from './surroundings.js';

/** How much of socket-tune there is beside the application. In each way it must see what stock Node shows it. */
export const WAYS = {
  off: tuned({ SOCKET_TUNE: 'off' }),
  'options only': tuned({ SOCKET_TUNE_SENDFILE: 'off', SOCKET_TUNE_FS: 'off', SOCKET_TUNE_CONNECT: 'off' }),
  all: tuned(),
} as const;

/** The way of scenarios about sockets that the app opens: some options have to be there before connect(2). */
export const CONNECTING = 'outgoing sockets too';

export const CONNECTING_WAY = tuned({
  SOCKET_TUNE_CONNECT: 'on',
  SOCKET_TUNE_CONNECT_USER_TIMEOUT: '54321ms',
  SOCKET_TUNE_CONNECT_SYNCNT: '3',
});

type Way = keyof typeof WAYS;

/** All the runs of a scenario, by their way. */
export type Runs = Readonly<Record<'stock' | Way, Run>> & { readonly [CONNECTING]?: Run };

/** Where files are rerouted. */
const FILE_HOOKS = /^(?:fs\.|stream\.|http\.|net\.Socket\.prototype\.(?:_writeGeneric|_destroy)$)/;

/** Names of Node's objects that are not what they are in stock Node. */
function replaced(run: Run | undefined, { stock }: Runs): string[] {
  if (run === undefined) return [];
  return unlike(stateOf(mainRecording(stock)).surroundings, stateOf(mainRecording(run)).surroundings);
}

function expectNothingInstalled(runs: Runs): void {
  const { off } = runs;
  expect(off.process.report, 'report').to.equal(undefined);
  expect(stateOf(mainRecording(off)).isInstalled, 'is installed').to.equal(false);
  expect(replaced(off, runs), 'replaced').to.deep.equal([]);
}

function expectOptionsOnly(runs: Runs): void {
  const run = runs['options only'];
  const { report } = run.process;
  if (report === undefined) throw new Error('no report');
  expect(stateOf(mainRecording(run)).isInstalled, 'is installed').to.equal(true);
  expect(report.files).to.deep.equal({
    reroutedStreams: 0,
    sendfileBytes: 0,
    copiedBytes: {},
    notRerouted: {},
    truncatedFiles: 0,
    inlineCalls: {},
    pooledCalls: {},
  });
  expect(
    replaced(run, runs).filter((name) => FILE_HOOKS.test(name)),
    'replaced',
  ).to.deep.equal([]);
  // As many as with all: the options are there.
  const expected = runs.all.process.report?.listeners.map(({ outcomes }) => outcomes.length);
  expect(report.listeners.map(({ outcomes }) => outcomes.length)).to.deep.equal(expected);
}

function expectTravel(run: Run, { travel }: FileScenario): void {
  const { files } = run.process.report ?? {};
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
  expect(regionBytes(files)).to.equal(streamBytes(mainRecording(run)));
}

function expectConnecting(runs: Runs, { opens }: FileScenario): void {
  const connecting = runs[CONNECTING];
  const report = connecting?.process.report;
  if (opens === undefined || report === undefined) throw new Error('no report');
  expect(report.outgoing.sockets, 'outgoing sockets').to.equal(opens);
  const verdicts = report.outgoing.outcomes.map(({ constant, verdict }) => `${constant} ${verdict}`);
  if (opens > 0) expect(verdicts).to.include('TCP_USER_TIMEOUT applied').and.to.include('TCP_SYNCNT applied');
  expect(runs.all.process.report?.outgoing.sockets).to.equal(0);
  const isConnect = (name: string): boolean => name === 'net.Socket.prototype.connect';
  expect(replaced(connecting, runs).filter(isConnect)).to.have.length(1);
}

/** Each way must have done what it is for: a preload that does nothing passes every comparison. */
export function expectWays(runs: Runs, scenario: FileScenario): void {
  expectNothingInstalled(runs);
  expectOptionsOnly(runs);
  expectTravel(runs.all, scenario);
  const connecting = runs[CONNECTING];
  if (connecting === undefined) return;
  expectTravel(connecting, scenario);
  expectConnecting(runs, scenario);
}
