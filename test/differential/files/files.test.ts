import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sampleDirectory } from '../../support/files/sample-files.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import { expectSameRun, type Scope } from '../harness/compare.js';
import type { RecordedEvent } from '../harness/recorder.js';
import { run, STOCK } from '../harness/run.js';
import type { FileScenario, FileScenarios } from './scenario.js';
import { CONNECTING, CONNECTING_WAY, expectWays, type Runs, WAYS } from './ways.js';

const directory = join(import.meta.dirname, 'scenarios');

/** Runs a scenario stock and in each of the ways, at the same time. All are compared with the one stock run. */
async function runAll(module: string, title: string, { opens }: FileScenario): Promise<Runs> {
  const ways = [STOCK, WAYS.off, WAYS['options only'], WAYS.all] as const;
  const [stock, off, optionsOnly, all] = await Promise.all([
    run(module, [title], ways[0]),
    run(module, [title], ways[1]),
    run(module, [title], ways[2]),
    run(module, [title], ways[3]),
  ]);
  const connecting = opens === undefined ? {} : { [CONNECTING]: await run(module, [title], CONNECTING_WAY) };
  return { stock, off, 'options only': optionsOnly, all, ...connecting };
}

/** What an application causes itself, one after the other. It comes in the same order every time, across emitters. */
const OWN_EVENTS = /^(?:resume|end|pipe|unpipe|prefinish|finish)\b/;
const OWN_EMITTERS = /^(?:response|stream)/;

function scopeOf({ varying = [], loose = [], areRequestsIndependent }: FileScenario): Scope {
  const requestOf = (who: string): string => (areRequestsIndependent ? (/\d+$/.exec(who)?.[0] ?? '') : 'all');
  const isOwn = ({ who, what }: RecordedEvent): boolean =>
    OWN_EMITTERS.test(who) && OWN_EVENTS.test(what) && !loose.includes(who);
  return { varying, groupOf: (event) => (isOwn(event) ? requestOf(event.who) : undefined) };
}

for (const file of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const module = join(directory, file);
  const { scenarios } = (await import(module)) as { scenarios: FileScenarios };
  describe(`files, stock and tuned: ${file.replace('.js', '')}`, () => {
    before(() => makeCertificate(sampleDirectory()));

    for (const [title, scenario] of Object.entries(scenarios)) {
      it(title, async () => {
        const { stock, ...tuned } = await runAll(module, title, scenario);
        for (const [way, one] of Object.entries(tuned)) expectSameRun(way, one, stock, scopeOf(scenario));
        expectWays({ stock, ...tuned }, scenario);
      });
    }
  });
}
