import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import type { ProcessHarness } from '../process-harness.js';
import { clusterScenarios, type Scripts } from '../scenario.js';

/** A worker with one server, and a task for everything that can happen to it. */
function worker(harness: ProcessHarness): void {
  let server: Server | undefined;
  const listen = async (options: unknown): Promise<string> => {
    server = harness.greeter();
    const settled = once(server, 'listening').then(
      () => 'listens',
      (error: NodeJS.ErrnoException) => error.code ?? '',
    );
    server.listen({ port: harness.port, host: '127.0.0.1', ...new Object(options) });
    return await settled;
  };
  harness.watch('process', process, ['disconnect', 'exit']);
  if (cluster.worker) harness.watch('cluster.worker', cluster.worker, ['disconnect', 'error']);
  harness.on('listen', listen);
  harness.on('close', async () => {
    if (server === undefined) return;
    server.close((error) => harness.note('server', 'closed', error));
    harness.note('server', 'after close()', server.listening, server.address());
    await once(server, 'close');
  });
  harness.on('close and listen', async (options) => {
    const old = server;
    old?.close();
    const result = await listen(options);
    harness.note('old server', 'listens', old?.listening);
    return result;
  });
  harness.on('connections', () => new Promise((resolve) => server?.getConnections((_, count) => resolve(count))));
  harness.on('disconnect', () => {
    cluster.worker?.disconnect();
  });
  harness.on('process.disconnect', () => process.disconnect());
  harness.on('kill', () => cluster.worker?.kill());
  harness.on('exit', (code) => process.exit(Number(code)));
  harness.on('throw', () => {
    setImmediate(() => {
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', () => process.exit(7));
      throw new Error('of no use');
    });
  });
}

/** Workers that listen on the scenario's port. */
async function listeners(harness: ProcessHarness, count: number): Promise<Worker[]> {
  const workers: Worker[] = [];
  while (workers.length < count) {
    const one = await harness.ready();
    harness.note('order', 'listen', await harness.order(one, 'listen'));
    workers.push(one);
  }
  return workers;
}

/** Two workers, of which the first ends in some way while the second goes on. Who is killed by SIGKILL writes no report. */
function ending(act: (harness: ProcessHarness, worker: Worker) => void, reports = 2): Scripts[string] {
  return {
    own: { everywhere: reports, workersOnly: reports },
    async primary(harness) {
      const [first, second] = await listeners(harness, 2);
      if (first === undefined || second === undefined) return;
      harness.note('answers', 'of both', await harness.heard(harness.port, [first, second]));
      const gone = once(first, 'exit');
      act(harness, first);
      await gone;
      for (let round = 0; round < 8; round++) {
        const answer = await harness.greeting(harness.port);
        if (answer !== 'worker 2') harness.note('answers', 'unexpected', answer);
      }
      await harness.end(second);
      harness.note('answers', 'of nobody', await harness.greeting(harness.port));
    },
    worker,
  };
}

/** The body of a response, on a connection of its own that is kept alive. */
function body(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data) => {
        text += data;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

export const scenarios = clusterScenarios({
  'worker.disconnect() in the primary': ending((_, one) => one.disconnect()),
  'worker.kill() in the primary': ending((_, one) => one.kill()),
  SIGKILL: ending((_, one) => one.kill('SIGKILL'), 1),
  'worker.process.disconnect() in the primary': ending((_, one) => one.process.disconnect()),
  'worker.disconnect() in the worker': ending((harness, one) => void harness.order(one, 'disconnect')),
  'process.disconnect() in the worker': ending((harness, one) => void harness.order(one, 'process.disconnect')),
  'worker.kill() in the worker': ending((harness, one) => void harness.order(one, 'kill')),
  'process.exit() in the worker': ending((harness, one) => void harness.order(one, 'exit', 3)),
  'an error that nobody catches': ending((harness, one) => void harness.order(one, 'throw')),
  'cluster.disconnect()': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const workers = await listeners(harness, 2);
      harness.note('answers', 'of both', await harness.heard(harness.port, workers));
      await new Promise<void>((resolve) => {
        cluster.disconnect(() => {
          harness.note('cluster', 'disconnected', Object.keys(cluster.workers ?? {}));
          resolve();
        });
      });
      harness.note('answers', 'of nobody', await harness.greeting(harness.port));
    },
    worker,
  },
  'server.close()': {
    own: { everywhere: 3, workersOnly: 3 },
    async primary(harness) {
      const [first, second] = await listeners(harness, 2);
      if (first === undefined || second === undefined) return;
      harness.note('answers', 'of both', await harness.heard(harness.port, [first, second]));
      await harness.order(first, 'close');
      for (let round = 0; round < 8; round++) {
        const answer = await harness.greeting(harness.port);
        if (answer !== 'worker 2') harness.note('answers', 'unexpected', answer);
      }
      await harness.order(second, 'close');
      harness.note('answers', 'of nobody', await harness.greeting(harness.port));
      harness.note('order', 'listen', await harness.order(first, 'listen'));
      harness.note('answers', 'of the first', await harness.heard(harness.port, [first]));
      await harness.end(first, second);
    },
    worker,
  },
  'server.close() and listen() at once': {
    own: { everywhere: 4, workersOnly: 4 },
    async primary(harness) {
      const workers = await listeners(harness, 2);
      for (const one of workers) harness.note('order', 'again', await harness.order(one, 'close and listen'));
      harness.note('answers', 'of both', await harness.heard(harness.port, workers));
      await harness.end(...workers);
    },
    worker,
  },
  'server.close() and listen() at once, of the only worker': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const [one] = await listeners(harness, 1);
      if (one === undefined) return;
      harness.note('order', 'again', await harness.order(one, 'close and listen'));
      harness.note('answers', 'of one', await harness.heard(harness.port, [one]));
      await harness.end(one);
    },
    worker,
  },
  'a worker that takes the place of one that was killed': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const [first, second] = await listeners(harness, 2);
      if (first === undefined || second === undefined) return;
      const gone = once(first, 'exit');
      first.process.kill('SIGKILL');
      await gone;
      const [third] = await listeners(harness, 1);
      if (third === undefined) return;
      harness.note('answers', 'of both', await harness.heard(harness.port, [second, third]));
      await harness.end(second, third);
    },
    worker,
  },
  'a connection that outlives its listener': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(harness) {
      const one = await harness.ready();
      harness.note('order', 'listen', await harness.order(one, 'listen'));
      const socket = connect(harness.port, '127.0.0.1').setEncoding('utf8');
      const [text] = await once(socket, 'data');
      harness.note('client', 'reads', text);
      harness.note('order', 'connections', await harness.order(one, 'connections'));
      const gone = once(one, 'exit');
      one.disconnect();
      while (!(await harness.greeting(harness.port)).startsWith('ECONN'));
      socket.write('still here');
      const [answer] = await once(socket, 'data');
      harness.note('client', 'reads', answer);
      socket.end();
      await gone;
    },
    worker(harness) {
      if (cluster.worker) harness.watch('cluster.worker', cluster.worker, ['disconnect']);
      harness.watch('process', process, ['disconnect']);
      const server = harness.server(
        'server',
        createServer((socket) => {
          harness.note('server', 'connection');
          socket.write('hello');
          socket.on('data', (data) => socket.write(data)).on('end', () => socket.end());
          socket.on('close', (hadError) => harness.note('socket', 'close', hadError));
        }),
      );
      harness.on('listen', async () => {
        server.listen(harness.port, '127.0.0.1');
        await once(server, 'listening');
      });
      harness.on('connections', () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))));
    },
  },
  'http with connections that are kept alive': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) harness.note('order', 'listen', await harness.order(one, 'listen'));
      const answers = new Set<string>();
      while (answers.size < 2) answers.add(await body(harness.port));
      harness.note('answers', 'of both', [...answers].sort());
      await harness.end(...workers);
    },
    worker(harness) {
      harness.on('listen', async () => {
        const server = harness.server(
          'server',
          createHttpServer((_, response) => response.end(`worker ${cluster.worker?.id}`)),
        );
        server.listen(harness.port);
        await once(server, 'listening');
      });
    },
  },
});
