import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import type { Stage } from '../process-harness.js';
import type { Stories } from '../scenario.js';

/** A worker with one server, whose tasks are what can happen to it. */
function worker(stage: Stage): void {
  let server: Server | undefined;
  const listen = async (options: unknown): Promise<string> => {
    server = stage.greeter();
    const settled = once(server, 'listening').then(
      () => 'listens',
      (error: NodeJS.ErrnoException) => error.code ?? '',
    );
    server.listen({ port: stage.port, host: '127.0.0.1', ...new Object(options) });
    return await settled;
  };
  stage.watch('process', process, ['disconnect', 'exit']);
  if (cluster.worker) stage.watch('cluster.worker', cluster.worker, ['disconnect', 'error']);
  stage.on('listen', listen);
  stage.on('close', async () => {
    if (server === undefined) return;
    server.close((error) => stage.note('server', 'closed', error));
    stage.note('server', 'after close()', server.listening, server.address());
    await once(server, 'close');
  });
  stage.on('close and listen', async (options) => {
    const old = server;
    old?.close();
    const result = await listen(options);
    stage.note('old server', 'listens', old?.listening);
    return result;
  });
  stage.on('connections', () => new Promise((resolve) => server?.getConnections((_, count) => resolve(count))));
  stage.on('disconnect', () => {
    cluster.worker?.disconnect();
  });
  stage.on('process.disconnect', () => process.disconnect());
  stage.on('kill', () => cluster.worker?.kill());
  stage.on('exit', (code) => process.exit(Number(code)));
  stage.on('throw', () => {
    setImmediate(() => {
      process.removeAllListeners('uncaughtException');
      process.once('uncaughtException', () => process.exit(7));
      throw new Error('of no use');
    });
  });
}

/** Workers that listen on the story's port. */
async function listeners(stage: Stage, count: number): Promise<Worker[]> {
  const workers: Worker[] = [];
  while (workers.length < count) {
    const one = await stage.ready();
    stage.note('order', 'listen', await stage.order(one, 'listen'));
    workers.push(one);
  }
  return workers;
}

/** Two workers, of which the first ends in some way while the second goes on. Who is killed by SIGKILL writes no report. */
function ending(act: (stage: Stage, worker: Worker) => void, reports = 2): Stories[string] {
  return {
    own: { everywhere: reports, workersOnly: reports },
    async primary(stage) {
      const [first, second] = await listeners(stage, 2);
      if (first === undefined || second === undefined) return;
      stage.note('answers', 'of both', await stage.heard(stage.port, [first, second]));
      const gone = once(first, 'exit');
      act(stage, first);
      await gone;
      for (let round = 0; round < 8; round++) {
        const answer = await stage.greeting(stage.port);
        if (answer !== 'worker 2') stage.note('answers', 'unexpected', answer);
      }
      await stage.end(second);
      stage.note('answers', 'of nobody', await stage.greeting(stage.port));
    },
    worker,
  };
}

/** The body of a response, on a connection of its own that could have gone on. */
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

export const stories: Stories = {
  'worker.disconnect() in the primary': ending((_, one) => one.disconnect()),
  'worker.kill() in the primary': ending((_, one) => one.kill()),
  SIGKILL: ending((_, one) => one.kill('SIGKILL'), 1),
  'worker.process.disconnect() in the primary': ending((_, one) => one.process.disconnect()),
  'worker.disconnect() in the worker': ending((stage, one) => void stage.order(one, 'disconnect')),
  'process.disconnect() in the worker': ending((stage, one) => void stage.order(one, 'process.disconnect')),
  'worker.kill() in the worker': ending((stage, one) => void stage.order(one, 'kill')),
  'process.exit() in the worker': ending((stage, one) => void stage.order(one, 'exit', 3)),
  'an error that nobody catches': ending((stage, one) => void stage.order(one, 'throw')),
  'cluster.disconnect()': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const workers = await listeners(stage, 2);
      stage.note('answers', 'of both', await stage.heard(stage.port, workers));
      await new Promise<void>((resolve) => {
        cluster.disconnect(() => {
          stage.note('cluster', 'disconnected', Object.keys(cluster.workers ?? {}));
          resolve();
        });
      });
      stage.note('answers', 'of nobody', await stage.greeting(stage.port));
    },
    worker,
  },
  'server.close()': {
    own: { everywhere: 3, workersOnly: 3 },
    async primary(stage) {
      const [first, second] = await listeners(stage, 2);
      if (first === undefined || second === undefined) return;
      stage.note('answers', 'of both', await stage.heard(stage.port, [first, second]));
      await stage.order(first, 'close');
      for (let round = 0; round < 8; round++) {
        const answer = await stage.greeting(stage.port);
        if (answer !== 'worker 2') stage.note('answers', 'unexpected', answer);
      }
      await stage.order(second, 'close');
      stage.note('answers', 'of nobody', await stage.greeting(stage.port));
      stage.note('order', 'listen', await stage.order(first, 'listen'));
      stage.note('answers', 'of the first', await stage.heard(stage.port, [first]));
      await stage.end(first, second);
    },
    worker,
  },
  'server.close() and listen() at once': {
    own: { everywhere: 4, workersOnly: 4 },
    async primary(stage) {
      const workers = await listeners(stage, 2);
      for (const one of workers) stage.note('order', 'again', await stage.order(one, 'close and listen'));
      stage.note('answers', 'of both', await stage.heard(stage.port, workers));
      await stage.end(...workers);
    },
    worker,
  },
  'server.close() and listen() at once, of the only worker': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const [one] = await listeners(stage, 1);
      if (one === undefined) return;
      stage.note('order', 'again', await stage.order(one, 'close and listen'));
      stage.note('answers', 'of one', await stage.heard(stage.port, [one]));
      await stage.end(one);
    },
    worker,
  },
  'a worker that takes the place of one that was killed': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const [first, second] = await listeners(stage, 2);
      if (first === undefined || second === undefined) return;
      const gone = once(first, 'exit');
      first.process.kill('SIGKILL');
      await gone;
      const [third] = await listeners(stage, 1);
      if (third === undefined) return;
      stage.note('answers', 'of both', await stage.heard(stage.port, [second, third]));
      await stage.end(second, third);
    },
    worker,
  },
  'a connection that outlives its listener': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(stage) {
      const one = await stage.ready();
      stage.note('order', 'listen', await stage.order(one, 'listen'));
      const socket = connect(stage.port, '127.0.0.1').setEncoding('utf8');
      const [text] = await once(socket, 'data');
      stage.note('client', 'reads', text);
      stage.note('order', 'connections', await stage.order(one, 'connections'));
      const gone = once(one, 'exit');
      one.disconnect();
      while (!(await stage.greeting(stage.port)).startsWith('ECONN'));
      socket.write('still here');
      const [answer] = await once(socket, 'data');
      stage.note('client', 'reads', answer);
      socket.end();
      await gone;
    },
    worker(stage) {
      if (cluster.worker) stage.watch('cluster.worker', cluster.worker, ['disconnect']);
      stage.watch('process', process, ['disconnect']);
      const server = stage.server(
        'server',
        createServer((socket) => {
          stage.note('server', 'connection');
          socket.write('hello');
          socket.on('data', (data) => socket.write(data)).on('end', () => socket.end());
          socket.on('close', (hadError) => stage.note('socket', 'close', hadError));
        }),
      );
      stage.on('listen', async () => {
        server.listen(stage.port, '127.0.0.1');
        await once(server, 'listening');
      });
      stage.on('connections', () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))));
    },
  },
  'http with connections that are kept alive': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) stage.note('order', 'listen', await stage.order(one, 'listen'));
      const answers = new Set<string>();
      while (answers.size < 2) answers.add(await body(stage.port));
      stage.note('answers', 'of both', [...answers].sort());
      await stage.end(...workers);
    },
    worker(stage) {
      stage.on('listen', async () => {
        const server = stage.server(
          'server',
          createHttpServer((_, response) => response.end(`worker ${cluster.worker?.id}`)),
        );
        server.listen(stage.port);
        await once(server, 'listening');
      });
    },
  },
};
