import { expect } from 'chai';
import { platform } from '../../src/native/index.js';
import { startFleet } from './fleet-process.js';
import { ask } from './load.js';
import type { Way } from './ways.js';

function listening(port: number): number {
  const sockets = platform().ports?.sockets(port, 'LISTEN');
  if (sockets === undefined) throw new Error('the kernel does not tell');
  return sockets.length;
}

/** How many answers each process gave. */
async function answers(port: number, count: number): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  for (let round = 0; round < count; round++) {
    const pid = Number(await ask(port));
    found.set(pid, (found.get(pid) ?? 0) + 1);
  }
  return found;
}

describe('the listeners of a cluster, as the kernel has them', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [way, count] of Object.entries({ stock: 1, everywhere: 3, workersOnly: 3 })) {
    it(`are ${count} of three workers: ${way}`, async () => {
      const fleet = await startFleet(way as Way, { workers: 3 });
      expect(listening(fleet.port)).to.equal(count);
      const given = await answers(fleet.port, 60);
      expect([...given.keys()].sort()).to.deep.equal([...fleet.pids].sort());
      const reports = await fleet.end();
      expect(listening(fleet.port)).to.equal(0);
      if (way === 'stock') return;
      // Each worker has accepted the connections that it answered, and the primary none.
      for (const [pid, amount] of given) expect(reports.get(pid)?.connections).to.equal(amount);
      expect(reports.get(fleet.primary)?.connections ?? 0).to.equal(0);
      for (const { connections } of reports.get(fleet.primary)?.listeners ?? []) expect(connections).to.equal(0);
    });
  }

  it('stay when a worker has gone, and become more with a new one', async () => {
    const fleet = await startFleet('everywhere');
    const [first = 0, second = 0] = fleet.pids;
    expect(listening(fleet.port)).to.equal(2);
    await fleet.order('disconnect', first);
    // The primary keeps the listener for the next worker, and steers connections around it.
    expect(listening(fleet.port)).to.equal(2);
    expect([...(await answers(fleet.port, 30)).keys()]).to.deep.equal([second]);
    const third = await fleet.order('fork');
    expect(listening(fleet.port)).to.equal(2);
    const fourth = await fleet.order('fork');
    expect(listening(fleet.port)).to.equal(3);
    const given = await answers(fleet.port, 60);
    expect([...given.keys()].sort()).to.deep.equal([second, third, fourth].sort());
    const reports = await fleet.end();
    for (const { connections } of reports.get(fleet.primary)?.listeners ?? []) expect(connections).to.equal(0);
  });

  it('are as many as there are workers, where each has made its own', async () => {
    const fleet = await startFleet('workersOnly');
    const [first = 0, second = 0] = fleet.pids;
    await fleet.order('disconnect', first);
    expect(listening(fleet.port)).to.equal(1);
    const third = await fleet.order('fork');
    expect(listening(fleet.port)).to.equal(2);
    expect([...(await answers(fleet.port, 40)).keys()].sort()).to.deep.equal([second, third].sort());
    await fleet.end();
  });
});
