import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { skip } from '../../support/test-run/skipped.js';
import { expectSameRun } from '../harness/compare.js';
import { mainRecording, type Run, run, STOCK, tuned } from '../harness/run.js';
import { type SpliceScenario, type SpliceScenarios, splicedBytes } from './scenario.js';

const directory = join(import.meta.dirname, 'scenarios');

/** A megabyte of a bulk may go before it is seen as one, and some around what the scenario does to it. */
const LEAST_SPLICED = 1 << 20;

const WAYS = { off: tuned({ SOCKET_TUNE_SPLICE: 'off' }), auto: tuned({ SOCKET_TUNE_SPLICE: 'auto' }) } as const;

type Runs = Readonly<Record<'stock' | keyof typeof WAYS, Run>>;

const OPTIONS = { timeout: 240_000 };

/** How often a scenario runs in stock Node whenever it is run anew. */
const STOCK_AGAIN = 4;

/** All scenarios of a module, one after the other in one process, in each of the ways. */
async function runAll(module: string, titles: readonly string[]): Promise<Runs> {
  const [stock, off] = await Promise.all([run(module, titles, STOCK, OPTIONS), run(module, titles, WAYS.off, OPTIONS)]);
  return { stock, off, auto: await run(module, titles, WAYS.auto, OPTIONS) };
}

/** One scenario of a run of many. */
function pick({ process, recordings }: Run, index: number): Run {
  const [name, all] = [...recordings][0] ?? [];
  const recording = all?.[index];
  if (name === undefined || recording === undefined) throw new Error(`no recording of scenario ${index}`);
  return { process, recordings: new Map([[name, [recording]]]), otherReports: [] };
}

/**
 * Expects a run to be the same as one of several of stock Node. Some states are a race's outcome in stock Node, too: which of them comes more
 * often depends on the machine.
 */
function expectOneOf(
  way: string,
  actual: Run,
  stock: readonly Run[],
  { varying = [], ignored = [] }: SpliceScenario,
): void {
  const differences = stock.flatMap((one) => {
    try {
      expectSameRun(way, actual, one, { varying, ignored });
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (differences.length === stock.length) throw differences[0];
}

function expectTravel({ auto, off }: Runs, { travel }: SpliceScenario): void {
  expect(splicedBytes(mainRecording(off)), 'off').to.equal(0);
  const spliced = splicedBytes(mainRecording(auto));
  if (travel === 'spliced') expect(spliced).to.be.above(LEAST_SPLICED);
  else if (travel === 'original') expect(spliced).to.equal(0);
}

for (const file of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
  const module = join(directory, file);
  const { scenarios } = (await import(module)) as { scenarios: SpliceScenarios };
  const titles = Object.keys(scenarios);
  describe(`sockets that are piped, stock and tuned: ${file.replace('.js', '')}`, function () {
    this.timeout(600_000);
    this.retries(3);
    let runs: Promise<Runs> | undefined;
    const stockRuns = new Map<string, Run[]>();

    before(function () {
      if (process.platform !== 'linux') this.skip();
      // What is left in flags when something is broken off differs there from run to run, with the package switched off as well.
      if (!process.versions.node.startsWith('20.'))
        skip(this, 'what these scenarios compare is steady on Node 20 only');
    });

    for (const [index, [title, scenario]] of Object.entries(scenarios).entries()) {
      it(title, async () => {
        runs ??= runAll(module, titles);
        // Mocha runs a test that has failed once more. Its scenario is then run anew, alone.
        const seen = stockRuns.get(title);
        const all = await (seen ? runAll(module, [title]) : runs);
        const at = seen ? 0 : index;
        const one = { stock: pick(all.stock, at), off: pick(all.off, at), auto: pick(all.auto, at) };
        const known = [one.stock, ...(seen ?? [])];
        stockRuns.set(title, known);
        for (let round = 0; seen && round < STOCK_AGAIN; round++)
          known.push(pick(await run(module, [title], STOCK, OPTIONS), 0));
        for (const way of ['off', 'auto'] as const) expectOneOf(way, one[way], known, scenario);
        expectTravel(one, scenario);
      });
    }
  });
}
