import { join } from 'node:path';
import { expect } from 'chai';
import type { TuneConfig } from '../../../src/config/tune-config.js';
import { OUTGOING_VALUES } from '../../support/sockets/outgoing.js';
import type { Recording } from '../harness/recorder.js';
import { mainRecording, type Run, run } from '../harness/run.js';
import { APP, scenarios, TAKEN_BACK, TUNED_SOCKETS } from './scenarios.js';

const GUARD = 'the guard';

/** Options of which all are set when the connection has begun, and some that have to be there before. */
const WAYS: Readonly<Record<string, TuneConfig>> = {
  'options for any time': { connect: OUTGOING_VALUES },
  // Set on connections that last, so on none of these but the longest.
  [GUARD]: { guard: { deadPeer: 2 } },
  'options ahead of connect(2)': { connect: { ...OUTGOING_VALUES, typeOfService: 184, synCount: 3, maxSegment: 1000 } },
};

const MODULE = join(import.meta.dirname, 'scenarios.js');

function eventsOf({ events }: Recording, emitter: string): string[] {
  return events.filter(({ who }) => who === emitter).map(({ what }) => what);
}

/** Runs scenarios stock and in each way. They are short, so one process runs all of them, one after the other. */
async function runAll(titles: readonly string[]): Promise<ReadonlyMap<string, Run>> {
  const configured = Object.entries(WAYS).map(
    ([way, config]) => [way, { OUTGOING_CONFIG: JSON.stringify(config) }] as const,
  );
  const runs = [['stock', {}] as const, ...configured].map(async ([way, env]): Promise<[string, Run]> => {
    const one = await run(MODULE, titles, { preload: [], env });
    expect(one.process, way).to.include({ code: 0, signal: null, stderr: '' });
    return [way, one];
  });
  return new Map(await Promise.all(runs));
}

describe('what an app sees of a socket that it opens is what stock Node shows, in', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  const allTitles = Object.keys(scenarios);
  const compared = new Set<string>();
  let runs: Promise<ReadonlyMap<string, Run>> | undefined;

  for (const [index, [title, scenario]] of Object.entries(scenarios).entries()) {
    it(title, async () => {
      runs ??= runAll(allTitles);
      // Mocha runs a test that has failed once more. Its scenario is then run anew, alone.
      const isAgain = compared.has(title);
      compared.add(title);
      const recordings = await (isAgain ? runAll([title]) : runs);
      const recordingOf = (way: string): Recording => {
        const one = recordings.get(way);
        if (one === undefined) throw new Error(`no run: ${way}`);
        return mainRecording(one, isAgain ? 0 : index);
      };
      const expected = eventsOf(recordingOf('stock'), APP);
      expect(expected).not.to.be.empty;
      for (const way of Object.keys(WAYS)) {
        const recording = recordingOf(way);
        expect(eventsOf(recording, APP), way).to.deep.equal(expected);
        expect(eventsOf(recording, TAKEN_BACK), `${way}, taken back`).to.deep.equal(expected);
        if (Number.isNaN(scenario.tuned) || way === GUARD) continue;
        expect(recording.facts[TUNED_SOCKETS], `${way}: sockets that were tuned`).to.deep.equal([scenario.tuned]);
      }
    });
  }
});
