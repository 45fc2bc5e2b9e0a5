import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { environmentOf, WAYS, type Way } from '../../cluster/ways.js';
import { sharesPort } from '../../support/processes/reports.js';
import { freePort } from '../../support/sockets/free-port.js';
import { expectSameRun } from '../harness/compare.js';
import { type Run, run } from '../harness/run.js';
import type { ClusterScenarios } from './scenario.js';

const directory = join(import.meta.dirname, 'scenarios');

/** How many servers of workers had a listener of their own. */
function ownListeners({ otherReports }: Run): number {
  return otherReports.flatMap(({ listeners }) => listeners).filter(sharesPort).length;
}

async function runIn(way: Way, module: string, title: string): Promise<Run> {
  const env = { ...environmentOf(way), SCENARIO_PORT: String(await freePort()) };
  return await run(module, [title], { preload: WAYS[way].preload, env });
}

for (const file of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const module = join(directory, file);
  const { scenarios } = (await import(module)) as { scenarios: ClusterScenarios };

  describe(`a cluster whose workers listen for themselves: ${file.replace('.js', '')}`, () => {
    for (const [title, { own, deviates = [] }] of Object.entries(scenarios)) {
      it(`sees what stock Node shows it: ${title}`, async () => {
        const [stock, everywhere, workersOnly] = await Promise.all([
          runIn('stock', module, title),
          runIn('everywhere', module, title),
          runIn('workersOnly', module, title),
        ]);
        expect(ownListeners(stock)).to.equal(0);
        for (const [way, tuned] of Object.entries({ everywhere, workersOnly })) {
          if (!deviates.some((one) => one === way)) expectSameRun(way, tuned, stock);
        }
        expect({ everywhere: ownListeners(everywhere), workersOnly: ownListeners(workersOnly) }).to.deep.equal(own);
      });
    }
  });
}
