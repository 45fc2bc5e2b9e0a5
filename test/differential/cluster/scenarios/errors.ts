import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';
import type { ProcessHarness } from '../process-harness.js';
import { clusterScenarios, type Script } from '../scenario.js';

/** Resolves with `listens`, or with the code of the error. */
function settled(harness: ProcessHarness, options: ListenOptions, who = 'server'): Promise<unknown> {
  const server = harness.greeter(who);
  server.listen(options);
  return once(server, 'listening').then(
    () => 'listens',
    ({ code }: NodeJS.ErrnoException) => code,
  );
}

function worker(harness: ProcessHarness): void {
  harness.on('listen', (options) => settled(harness, new Object(options)));
}

/** Another program on a port: it has the port alone, or shares it. */
async function stranger(port: number, shares: boolean): Promise<ChildProcess> {
  const share = shares ? 's.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1);' : '';
  const program = `
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); ${share}
s.bind(('127.0.0.1', ${port})); s.listen(16); print('listens', flush=True)
while True: c, _ = s.accept(); c.send(b'stranger'); c.close()`;
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Two workers on a port that another program has, and again when that has ended. */
function withStranger(shares: boolean, workersOnly: number, deviates: Script['deviates'] = []): Script {
  return {
    own: { everywhere: 2, workersOnly },
    deviates,
    async primary(harness) {
      const child = await stranger(harness.port, shares);
      const workers = [await harness.ready(), await harness.ready()];
      const options = { port: harness.port, host: '127.0.0.1' };
      for (const one of workers) harness.note('order', 'listen', await harness.order(one, 'listen', options));
      harness.note('answer', 'is', await harness.greeting(harness.port));
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      for (const one of workers) harness.note('order', 'again', await harness.order(one, 'listen', options));
      harness.note('answers', 'are', await harness.heard(harness.port, workers));
      await harness.end(...workers);
    },
    worker,
  };
}

export const scenarios = clusterScenarios({
  'a stranger who has the port': withStranger(false, 2),
  'a stranger who would share the port': // Nobody asks for the port without sharing it, so they get along.
    withStranger(true, 2, ['workersOnly']),
  'a server of the primary that has the port': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const server = createServer();
      server.listen(harness.port, '127.0.0.1');
      await once(server, 'listening');
      const one = await harness.ready();
      harness.note('order', 'listen', await harness.order(one, 'listen', { port: harness.port, host: '127.0.0.1' }));
      server.close();
      await harness.end(one);
    },
    worker,
  },
  'a server of the primary that comes too late': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(harness) {
      const one = await harness.ready();
      const options = { port: harness.port, host: '127.0.0.1' };
      harness.note('order', 'listen', await harness.order(one, 'listen', options));
      harness.note('order', 'listen in the primary', await settled(harness, options));
      await harness.end(one);
    },
    worker,
  },
  'two servers of one worker on one port': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      const options = { port: harness.port, host: '127.0.0.1' };
      for (const one of workers) {
        harness.note('order', 'listen', await harness.order(one, 'listen', options));
        harness.note('order', 'listen twice', await harness.order(one, 'listen', options));
      }
      harness.note('answers', 'are', await harness.heard(harness.port, workers));
      await harness.end(...workers);
    },
    worker,
  },
  'an address that is not of this machine': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const one = await harness.ready();
      const options = { port: harness.port, host: '192.0.2.1' };
      for (let round = 0; round < 2; round++)
        harness.note('order', 'listen', await harness.order(one, 'listen', options));
      await harness.end(one);
    },
    worker,
  },
  'a wildcard beside an address of it': {
    own: { everywhere: 1, workersOnly: 2 },
    deviates: ['workersOnly'],
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const [index, host] of ['127.0.0.1', '0.0.0.0'].entries()) {
        const one = workers[index];
        if (one) harness.note('order', 'listen', await harness.order(one, 'listen', { port: harness.port, host }));
      }
      await harness.end(...workers);
    },
    worker,
  },
});
