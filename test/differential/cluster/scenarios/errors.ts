import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';
import type { Stage } from '../process-harness.js';
import type { Stories, Story } from '../scenario.js';

/** Resolves with what became of it: nothing, or the code of the error. */
function settled(stage: Stage, options: ListenOptions, who = 'server'): Promise<unknown> {
  const server = stage.greeter(who);
  server.listen(options);
  return once(server, 'listening').then(
    () => 'listens',
    ({ code }: NodeJS.ErrnoException) => code,
  );
}

function worker(stage: Stage): void {
  stage.on('listen', (options) => settled(stage, new Object(options)));
}

/** A stranger on a port: he has it for himself, or would share it with others. */
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

/** Two workers on a port that somebody has, and again when he has left. */
function withStranger(shares: boolean, workersOnly: number, deviates: Story['deviates'] = []): Story {
  return {
    own: { everywhere: 2, workersOnly },
    deviates,
    async primary(stage) {
      const child = await stranger(stage.port, shares);
      const workers = [await stage.ready(), await stage.ready()];
      const options = { port: stage.port, host: '127.0.0.1' };
      for (const one of workers) stage.note('order', 'listen', await stage.order(one, 'listen', options));
      stage.note('answer', 'is', await stage.greeting(stage.port));
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      for (const one of workers) stage.note('order', 'again', await stage.order(one, 'listen', options));
      stage.note('answers', 'are', await stage.heard(stage.port, workers));
      await stage.end(...workers);
    },
    worker,
  };
}

export const stories: Stories = {
  'a stranger who has the port': withStranger(false, 2),
  'a stranger who would share the port': // Nobody asks for the port without sharing it, so they get along.
    withStranger(true, 2, ['workersOnly']),
  'a server of the primary that has the port': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const server = createServer();
      server.listen(stage.port, '127.0.0.1');
      await once(server, 'listening');
      const one = await stage.ready();
      stage.note('order', 'listen', await stage.order(one, 'listen', { port: stage.port, host: '127.0.0.1' }));
      server.close();
      await stage.end(one);
    },
    worker,
  },
  'a server of the primary that comes too late': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(stage) {
      const one = await stage.ready();
      const options = { port: stage.port, host: '127.0.0.1' };
      stage.note('order', 'listen', await stage.order(one, 'listen', options));
      stage.note('order', 'listen in the primary', await settled(stage, options));
      await stage.end(one);
    },
    worker,
  },
  'two servers of one worker on one port': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      const options = { port: stage.port, host: '127.0.0.1' };
      for (const one of workers) {
        stage.note('order', 'listen', await stage.order(one, 'listen', options));
        stage.note('order', 'listen twice', await stage.order(one, 'listen', options));
      }
      stage.note('answers', 'are', await stage.heard(stage.port, workers));
      await stage.end(...workers);
    },
    worker,
  },
  'an address that is not of this machine': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const one = await stage.ready();
      const options = { port: stage.port, host: '192.0.2.1' };
      for (let round = 0; round < 2; round++) stage.note('order', 'listen', await stage.order(one, 'listen', options));
      await stage.end(one);
    },
    worker,
  },
  'a wildcard beside an address of it': {
    own: { everywhere: 1, workersOnly: 2 },
    deviates: ['workersOnly'],
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const [index, host] of ['127.0.0.1', '0.0.0.0'].entries()) {
        const one = workers[index];
        if (one) stage.note('order', 'listen', await stage.order(one, 'listen', { port: stage.port, host }));
      }
      await stage.end(...workers);
    },
    worker,
  },
};
