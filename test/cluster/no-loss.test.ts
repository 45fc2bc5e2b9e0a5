import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { until } from '../support/until.js';
import { type Fleet, startFleet } from './fleet-process.js';
import { Load, type Tally } from './load.js';
import type { Way } from './ways.js';

const CONCURRENT = 24;

/** Answers by somebody who was not there. */
function strangers({ answers }: Tally, pids: readonly number[]): string[] {
  return [...answers.keys()].filter((pid) => !pids.includes(Number(pid)));
}

/** Does something to a fleet under load. Returns its clients' results. */
async function underLoad(fleet: Fleet, act: (load: Load) => Promise<void>): Promise<Tally> {
  const load = new Load(fleet.port, CONCURRENT);
  try {
    await load.more(200);
    await act(load);
    await load.more(200);
  } finally {
    await load.end();
  }
  return await load.end();
}

/** Stops a worker: the kernel goes on queueing connections for it. */
function stop(pid: number): void {
  process.kill(pid, 'SIGSTOP');
}

/** Linux, include/net/tcp_states.h TCP_LISTEN. */
const LISTENS = '0A';

/** How many connections wait in the longest queue of the listeners on a port: net/ipv4/tcp_ipv4.c get_tcp4_sock. */
function waitingAt(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const queues = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const ours = queues.filter(([, local = '', , state]) => local.endsWith(`:${wanted}`) && state === LISTENS);
  return Math.max(0, ...ours.map(([, , , , queue = '']) => Number.parseInt(queue.split(':')[1] ?? '', 16)));
}

describe('the clients of a cluster whose workers listen for themselves', () => {
  before(function () {
    // Node 26 resets a few connections when it closes a server, stock as well (npm run bench -- --only restarts).
    if (process.platform !== 'linux' || Number.parseInt(process.versions.node, 10) >= 26) this.skip();
  });

  const rollingWays: readonly Way[] = ['everywhere', 'cpu', 'workersOnly'];
  for (const way of rollingWays) {
    it(`notice nothing when every worker is replaced, again and again: ${way}`, async () => {
      const fleet = await startFleet(way);
      let pids = fleet.pids;
      const known = [...pids];
      const tally = await underLoad(fleet, async (load) => {
        for (let round = 0; round < 3; round++) {
          const next: number[] = [];
          for (const pid of pids) {
            next.push(await fleet.order('replace', pid));
            await load.more(50);
          }
          pids = next;
          known.push(...pids);
        }
      });
      const reports = await fleet.end();
      expect(tally.failures).to.deep.equal({});
      expect(strangers(tally, known)).to.deep.equal([]);
      // Steered by CPU, one worker may get all: the client runs on one CPU.
      if (way !== 'cpu') for (const pid of pids) expect(tally.answers.get(String(pid))).to.be.above(0);
      // A worker counts what it has accepted itself, and what the primary has passed on to it.
      for (const pid of pids) expect(reports.get(pid)?.connections).to.be.at.least(tally.answers.get(String(pid)) ?? 0);
    });

    it(`notice nothing when a worker disconnects and nobody takes its place: ${way}`, async () => {
      const fleet = await startFleet(way, { workers: 3 });
      const [first = 0, second = 0, third = 0] = fleet.pids;
      const tally = await underLoad(fleet, async (load) => {
        await fleet.order('disconnect', first);
        await load.more(100);
        await fleet.order('disconnect', second);
      });
      await fleet.end();
      expect(tally.failures).to.deep.equal({});
      expect(tally.answers.get(String(third))).to.be.above(0);
    });
  }

  it('are answered by the others when a worker is killed in whose queue they wait', async () => {
    const fleet = await startFleet('everywhere');
    const [first = 0, second = 0] = fleet.pids;
    stop(first);
    const load = new Load(fleet.port, CONCURRENT);
    // About half of the clients wait for the stopped worker. The others are answered until all wait for it.
    await until('all clients wait', () => waitingAt(fleet.port) === CONCURRENT);
    await fleet.order('kill', first);
    await load.more(100);
    const tally = await load.end();
    const reports = await fleet.end();
    expect(tally.failures).to.deep.equal({});
    expect([...tally.answers.keys()]).to.deep.equal([String(second)]);
    const relayed = (reports.get(fleet.primary)?.listeners ?? []).reduce(
      (sum, { connections }) => sum + connections,
      0,
    );
    expect(relayed).to.equal(CONCURRENT);
  });

  it('are answered by the next worker when the only one was killed and they waited in its queue', async () => {
    const fleet = await startFleet('everywhere');
    const [first = 0, second = 0] = fleet.pids;
    await fleet.order('disconnect', second);
    stop(first);
    const load = new Load(fleet.port, 4);
    await until('all clients wait', () => waitingAt(fleet.port) === 4);
    const third = fleet.order('fork');
    const pid = await third;
    await fleet.order('kill', first);
    await load.more(20);
    const tally = await load.end();
    await fleet.end();
    expect(tally.failures).to.deep.equal({});
    expect([...tally.answers.keys()]).to.deep.equal([String(pid)]);
  });
});
