/**
 * Processes that know nothing of each other, on one port, and clients of theirs: they come and go under load. Prints how the clients
 * fared, as JSON.
 *
 *   node processes.js MANNER SPECIFIER PORT
 *
 * MANNER is `close` (server.close(), and the process ends of itself) or `again` (a server closes, and listens at once).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Load } from './load.js';

const [manner = '', preload = '', port = ''] = process.argv.slice(2);
const ROUNDS = 4;

async function start(): Promise<ChildProcess> {
  const child = fork(import.meta.filename, ['serve', '', port], { execArgv: ['--import', preload] });
  await once(child, 'message');
  return child;
}

async function lead(): Promise<void> {
  const children = [await start(), await start()];
  const load = new Load(Number(port), 16);
  for (let round = 0; round < ROUNDS; round++) {
    await load.more(100);
    const child = children.shift();
    if (child === undefined) throw new Error('nobody is left');
    child.send(manner);
    if (manner === 'again') {
      await once(child, 'message');
      children.push(child);
      continue;
    }
    const gone = once(child, 'exit');
    children.push(await start());
    await gone;
  }
  await load.more(100);
  const { answers, failures } = await load.end();
  for (const child of children) child.kill('SIGKILL');
  const servers = answers.size;
  console.log(JSON.stringify({ failures, servers }));
}

function serve(): void {
  const server = createServer((_, response) => response.end(String(process.pid)));
  server.listen(Number(port), '127.0.0.1');
  server.on('listening', () => process.send?.('listening'));
  process.on('message', (what) => {
    if (what === 'again') server.close().listen(Number(port), '127.0.0.1');
    else server.close(() => process.disconnect());
  });
}

if (manner === 'serve') serve();
else await lead();
