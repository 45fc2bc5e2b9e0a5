import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { listenerHook } from '../../../src/hooks/sockets/listener.js';
import type { Steering } from '../../../src/native/ports/socket-program.js';
import { hookContext, observedPlatform } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, reach } from '../../support/sockets/socket-pair.js';

/** Configuration with SO_REUSEPORT alone. */
const RAW = [{ level: 1, name: 15, value: 1, phase: 'before-bind' }] as const;

const NO_CPU = { byCpu: false, pinned: new Map() } as const;

describe('a program that chooses among listeners', () => {
  let undo: (() => void) | undefined;
  let servers: Server[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    undo = listenerHook.install(hookContext({ raw: RAW }, observedPlatform()));
    servers = [];
    for (let index = 0; index < 4; index++) {
      const server = createServer((socket) => socket.end(String(index)));
      server.listen(index === 0 ? 0 : port(), '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
    }
  });

  afterEach(() => {
    undo?.();
    for (const server of servers) server.close();
  });

  function at(index: number): Server {
    const server = servers[index];
    if (server === undefined) throw new Error(`no server ${index}`);
    return server;
  }

  function port(): number {
    const place = reach(at(0));
    if (!('port' in place)) throw new Error('it has no port');
    return place.port;
  }

  /** Servers that answer a number of connections, one after the other. */
  async function answers(count: number): Promise<readonly number[]> {
    const found = new Set<number>();
    for (let round = 0; round < count; round++) {
      const [data] = await once(connect(port(), '127.0.0.1'), 'data');
      found.add(Number(String(data)));
    }
    return [...found].sort();
  }

  function steer(steering: Steering | undefined): void {
    expect(linux().ports?.steer(listenHandleOf(at(0)), steering)).to.equal(0);
  }

  async function close(index: number): Promise<void> {
    at(index).close();
    await once(at(index), 'close');
  }

  it('is absent at first: the kernel spreads connections over all listeners', async () => {
    expect(await answers(80)).to.deep.equal([0, 1, 2, 3]);
  });

  for (let index = 0; index < 4; index++) {
    it(`sends all connections to one: number ${index} in the order of listen(2)`, async () => {
      steer({ active: [index], ...NO_CPU });
      expect(await answers(12)).to.deep.equal([index]);
    });
  }

  it('spreads them over some of the listeners, or over all', async () => {
    steer({ active: [0, 2], ...NO_CPU });
    expect(await answers(40)).to.deep.equal([0, 2]);
    steer({ active: [1, 2, 3], ...NO_CPU });
    expect(await answers(60)).to.deep.equal([1, 2, 3]);
    steer({ active: [0, 1, 2, 3], ...NO_CPU });
    expect(await answers(80)).to.deep.equal([0, 1, 2, 3]);
  });

  it('can be detached', async () => {
    steer({ active: [3], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([3]);
    steer(undefined);
    expect(await answers(80)).to.deep.equal([0, 1, 2, 3]);
  });

  it('finds the last listener in the place of a closed one', async () => {
    await close(1);
    steer({ active: [1], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([3]);
    steer({ active: [2], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([2]);
    // No listener has this index any more, so the kernel chooses by its hash.
    steer({ active: [3], ...NO_CPU });
    expect(await answers(60)).to.deep.equal([0, 2, 3]);
  });

  it('goes by the CPU, and by the listener that is bound to it', async () => {
    const cpus = Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
    steer({ active: [0, 1, 2, 3], byCpu: true, pinned: new Map(cpus.map((cpu) => [cpu, 2])) });
    expect(await answers(20)).to.deep.equal([2]);
    // Without a listener for the CPU, the CPU's number decides.
    steer({ active: [3], byCpu: true, pinned: new Map([[4095, 1]]) });
    expect(await answers(20)).to.deep.equal([3]);
  });

  it('is refused on a socket outside of a group', async () => {
    const alone = createServer().listen(0, '127.0.0.1');
    await once(alone, 'listening');
    undo?.();
    undo = undefined;
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    expect(linux().ports?.steer(listenHandleOf(alone), { active: [0], ...NO_CPU })).to.equal(0);
    expect(linux().ports?.steer(listenHandleOf(stranger), { active: [0], ...NO_CPU })).to.be.above(0);
    alone.close();
    stranger.close();
  });

  it('leaves new connections to the others if it ignores newcomers: the clients try again', async () => {
    steer({ active: [1], ...NO_CPU });
    expect(await answers(3)).to.deep.equal([1]);
    expect(linux().ports?.ignoreNewcomers(listenHandleOf(at(1)))).to.equal(0);
    const client = connect(port(), '127.0.0.1');
    const talk = Promise.race([
      once(client, 'data').then(String),
      new Promise((resolve) => setTimeout(resolve, 200, 'nobody has answered yet')),
    ]);
    expect(await talk).to.equal('nobody has answered yet');
    steer({ active: [2], ...NO_CPU });
    const [data] = await once(client, 'data');
    expect(String(data)).to.equal('2');
  });
});
