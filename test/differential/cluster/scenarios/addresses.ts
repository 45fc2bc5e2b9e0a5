import { once } from 'node:events';
import type { ListenOptions } from 'node:net';
import type { ProcessHarness } from '../process-harness.js';
import { clusterScenarios, type Script } from '../scenario.js';

/** What workers listen on, and from where they are asked. */
interface Place {
  readonly options: ListenOptions;
  /** Addresses of the machine that reach it. */
  readonly reached: readonly string[];
  /** Those that do not. */
  readonly refused?: readonly string[];
}

function worker(harness: ProcessHarness): void {
  harness.on('listen', async (options) => {
    const server = harness.greeter();
    server.listen(new Object(options));
    // A worker that disconnects does not close listeners of its own.
    process.once('disconnect', () => server.close());
    const [error]: (NodeJS.ErrnoException | undefined)[] = await Promise.race([
      once(server, 'listening'),
      once(server, 'error').then((values) => values),
    ]).catch((failure) => [failure]);
    return error?.code;
  });
}

/** Two workers at one place. */
function at({ options, reached, refused = [] }: Place, own: Script['own'] = { everywhere: 2, workersOnly: 2 }): Script {
  return {
    own,
    async primary(harness) {
      const port = options.port ?? harness.port;
      const workers = [await harness.ready(), await harness.ready()];
      let bound = port;
      for (const one of workers) {
        one.once('listening', (address) => {
          bound = address.port;
        });
        harness.note('order', 'listen', await harness.order(one, 'listen', { ...options, port }));
        harness.note('port', 'is', bound);
      }
      for (const host of reached) harness.note('answers', host, await harness.heard(bound, workers, host));
      for (const host of refused) harness.note('answers', host, await harness.greeting(bound, host));
      await harness.end(...workers);
    },
    worker,
  };
}

export const scenarios = clusterScenarios({
  IPv4: at({ options: { host: '127.0.0.1' }, reached: ['127.0.0.1'], refused: ['::1', '127.0.0.2'] }),
  'another address of the machine': at({
    options: { host: '127.0.0.2' },
    reached: ['127.0.0.2'],
    refused: ['127.0.0.1'],
  }),
  'all of IPv4': at({ options: { host: '0.0.0.0' }, reached: ['127.0.0.1', '127.0.0.3'], refused: ['::1'] }),
  IPv6: at({ options: { host: '::1' }, reached: ['::1'], refused: ['127.0.0.1'] }),
  'no host, which is both families': at({ options: {}, reached: ['127.0.0.1', '::1'] }),
  'all of IPv6, which is both families': at({ options: { host: '::' }, reached: ['127.0.0.1', '::1'] }),
  ipv6Only: at({ options: { host: '::', ipv6Only: true }, reached: ['::1'], refused: ['127.0.0.1'] }),
  localhost: at({ options: { host: 'localhost' }, reached: ['localhost'] }),
  'port 0': at({ options: { host: '127.0.0.1', port: 0 }, reached: ['127.0.0.1'] }, { everywhere: 2, workersOnly: 0 }),
  'port 0 without a host': at(
    { options: { port: 0 }, reached: ['127.0.0.1', '::1'] },
    { everywhere: 2, workersOnly: 0 },
  ),
  'IPv4 and IPv6 side by side on one port': {
    own: { everywhere: 4, workersOnly: 4 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) {
        for (const options of [{ host: '0.0.0.0' }, { host: '::', ipv6Only: true }])
          harness.note('order', 'listen', await harness.order(one, 'listen', { ...options, port: harness.port }));
      }
      for (const host of ['127.0.0.1', '::1'])
        harness.note('answers', host, await harness.heard(harness.port, workers, host));
      await harness.end(...workers);
    },
    worker,
  },
  'port 0 twice in each worker': {
    own: { everywhere: 4, workersOnly: 0 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      const ports: number[] = [];
      for (const one of workers) {
        one.on('listening', (address) => ports.push(address.port));
        for (let turn = 0; turn < 2; turn++) await harness.order(one, 'listen', { port: 0, host: '127.0.0.1' });
      }
      harness.note('ports', 'are', ports);
      for (const port of new Set(ports)) harness.note('answers', 'of both', await harness.heard(port, workers));
      await harness.end(...workers);
    },
    worker,
  },
  'exclusive: true on port 0': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) {
        let port = 0;
        one.once('listening', (address) => {
          port = address.port;
        });
        await harness.order(one, 'listen', { port: 0, host: '127.0.0.1', exclusive: true });
        harness.note('answers', 'of one', port, port === 0 || (await harness.heard(port, [one])));
      }
      await harness.end(...workers);
    },
    worker,
  },
  'exclusive: true on a port': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) {
        const options = { port: harness.port, host: '127.0.0.1', exclusive: true };
        harness.note('order', 'listen', await harness.order(one, 'listen', options));
      }
      await harness.end(...workers);
    },
    worker,
  },
  'exclusive: true on a port that the others share': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready(), await harness.ready()];
      const options = { port: harness.port, host: '127.0.0.1' };
      for (const [index, one] of workers.entries())
        harness.note('order', 'listen', await harness.order(one, 'listen', { ...options, exclusive: index === 2 }));
      harness.note('answers', 'are', await harness.heard(harness.port, workers.slice(0, 2)));
      await harness.end(...workers);
    },
    worker,
  },
});
