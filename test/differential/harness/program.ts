/**
 * Runs scenarios, and writes down what it has seen when it ends. So does a cluster worker that a scenario forks.
 *
 *   node [--import socket-tune/register] program.js <directory with plan.json>
 */
import cluster from 'node:cluster';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recorder } from './recorder.js';
import type { Plan, Scenarios } from './scenario.js';

const [directory = ''] = process.argv.slice(2);
const { module, titles, lanes } = JSON.parse(readFileSync(join(directory, 'plan.json'), 'utf8')) as Plan;
const { scenarios } = (await import(module)) as { scenarios: Scenarios };
const recorders = titles.map(() => new Recorder());
const name = cluster.worker === undefined ? 'main' : `worker-${cluster.worker.id}`;

process.once('exit', () => {
  const recordings = recorders.map((recorder) => recorder.recording());
  writeFileSync(join(directory, `recording-${name}.json`), JSON.stringify(recordings));
});

const turns = recorders.entries();
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (const [index, recorder] of turns) {
      const title = titles[index] ?? '';
      const scenario = scenarios[title];
      if (scenario === undefined) throw new Error(`no scenario '${title}'`);
      await scenario.run(recorder);
    }
  }),
);
