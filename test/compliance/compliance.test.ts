import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { BY_IMPORT, type EndedProcess, runNode } from '../support/node-process.js';
import { sampleDirectory } from '../support/sample-files.js';
import { scratchProject } from '../support/scratch-project.js';
import type { Case } from './case.js';
import type { Observations } from './witness.js';

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
  return { process, observations: JSON.parse(readFileSync(output, 'utf8')) as Observations };
}

for (const module of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const { cases } = (await import(join(directory, module))) as { cases: Record<string, Case> };
  describe(`stock and tuned, ${module.replace('.js', '')}`, () => {
    for (const [title, one] of Object.entries(cases)) {
      it(title, async () => {
        const [stock, tuned] = await Promise.all([perform(module, title, []), perform(module, title, BY_IMPORT)]);
        console.log(JSON.stringify(stock.observations, undefined, 1));
        expect(tuned.observations).to.deep.equal(stock.observations);
        console.log(tuned.process.report?.files, one.travel);
      });
    }
  });
}
