/**
 * One process of a story: the primary, or a worker that it has forked.
 *
 *   node [--import socket-tune/register] program.js <module> <title> <directory for what is seen>
 */
import cluster from 'node:cluster';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stage } from './process-harness.js';
import type { Stories } from './scenario.js';

const [module = '', title = '', output = ''] = process.argv.slice(2);
const { stories } = (await import(join(import.meta.dirname, 'stories', module))) as { stories: Stories };
const story = stories[title];
if (story === undefined) throw new Error(`no story '${title}'`);
const stage = new Stage();
const name = cluster.worker === undefined ? 'primary' : `worker-${cluster.worker.id}`;
process.once('exit', () => writeFileSync(join(output, `${name}.json`), JSON.stringify(stage.seen())));

if (cluster.isPrimary) {
  const { WORKERS_PRELOAD } = process.env;
  // A primary without the preload, as a process manager is one.
  if (WORKERS_PRELOAD !== undefined) cluster.setupPrimary({ execArgv: ['--import', WORKERS_PRELOAD] });
  await story.primary(stage);
} else {
  stage.note(
    'process',
    'environment',
    Object.keys(process.env).filter((key) => key.includes('CLUSTER')),
  );
  story.worker(stage);
}
