import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { listenerHook } from '../../../src/hooks/sockets/listener.js';
import { encodeProgram, type Steering, steeringProgram } from '../../../src/native/ports/socket-program.js';
import { hookContext, observedPlatform } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, reach } from '../../support/sockets/socket-pair.js';

/** SO_REUSEPORT, of which nothing else is made. */
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

  /** Who answers so many connections, one after the other. */
  async function answers(count: number): Promise<readonly number[]> {
    const found = new Set<number>();
    for (let round = 0; round < count; round++) {
      const [data] = await once(connect(port(), '127.0.0.1'), 'data');
      found.add(Number(String(data)));
    }
    return [...found].sort();
  }

  function steer(steering: Steering | undefined): void {
    expect(linux().steer(listenHandleOf(at(0)), steering)).to.equal(0);
  }

  async function close(index: number): Promise<void> {
    at(index).close();
    await once(at(index), 'close');
  }

  it('is not there at first: the kernel gives each of them some', async () => {
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

  it('is taken back', async () => {
    steer({ active: [3], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([3]);
    steer(undefined);
    expect(await answers(80)).to.deep.equal([0, 1, 2, 3]);
  });

  it('finds the last in the place of one that was closed', async () => {
    await close(1);
    steer({ active: [1], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([3]);
    steer({ active: [2], ...NO_CPU });
    expect(await answers(12)).to.deep.equal([2]);
    // Nobody has that any more, so it is the kernel's own choice.
    steer({ active: [3], ...NO_CPU });
    expect(await answers(60)).to.deep.equal([0, 2, 3]);
  });

  it('goes by the CPU, and by the listener that is bound to it', async () => {
    const cpus = Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
    steer({ active: [0, 1, 2, 3], byCpu: true, pinned: new Map(cpus.map((cpu) => [cpu, 2])) });
    expect(await answers(20)).to.deep.equal([2]);
    // Of CPUs that nobody is bound to, the number decides.
    steer({ active: [3], byCpu: true, pinned: new Map([[4095, 1]]) });
    expect(await answers(20)).to.deep.equal([3]);
  });

  it('is refused on a socket that is no listener of a group', async () => {
    const alone = createServer().listen(0, '127.0.0.1');
    await once(alone, 'listening');
    undo?.();
    undo = undefined;
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    expect(linux().steer(listenHandleOf(alone), { active: [0], ...NO_CPU })).to.equal(0);
    expect(linux().steer(listenHandleOf(stranger), { active: [0], ...NO_CPU })).to.be.above(0);
    alone.close();
    stranger.close();
  });

  it('that ignores newcomers leaves them to the others, which they try again', async () => {
    steer({ active: [1], ...NO_CPU });
    expect(await answers(3)).to.deep.equal([1]);
    expect(linux().ignoreNewcomers(listenHandleOf(at(1)))).to.equal(0);
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

  it('is encoded as the kernel has it', () => {
    const program = steeringProgram({ active: [0, 2], byCpu: true, pinned: new Map([[5, 2]]) });
    const codes = program.map(([code]) => code);
    expect(codes).to.deep.equal([0x20, 0x15, 0x06, 0x94, 0x15, 0x06, 0x15, 0x06, 0x16]);
    const bytes = encodeProgram(program);
    expect(bytes).to.have.length(8 * program.length);
    const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
    const operand = (line: number): number =>
      little ? bytes.readUInt32LE(line * 8 + 4) : bytes.readUInt32BE(line * 8 + 4);
    expect([operand(0), operand(1), operand(2), operand(3)]).to.deep.equal([0xffff_f024, 5, 2, 2]);
    // If it is the CPU, the next line is run; else it is skipped.
    expect([bytes[8 + 2], bytes[8 + 3]]).to.deep.equal([0, 1]);
  });
});
