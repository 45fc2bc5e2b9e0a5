import { expect } from 'chai';
import type { Fates } from '../../bench/behind/bursts.js';
import { type Lane, startLane, stockIdleTime } from '../../bench/behind/lane.js';
import { PROXIES } from '../../bench/behind/proxy.js';
import { hasProgram } from '../../bench/machine.js';
import { useScratch } from '../support/files/scratch.js';
import { skip } from '../support/test-run/skipped.js';

const POOLS = 20;
const SIZE = 20;

/** Stock Node loses some nearly every time. */
const MOST_ROUNDS = 6;

function lostOf({ lost }: Fates): number {
  return [...lost.values()].reduce((sum, count) => sum + count, 0);
}

describe('a proxy that pools its connections to an app', () => {
  const scratch = useScratch();
  const lanes: Lane[] = [];

  afterEach(async () => {
    await Promise.all(lanes.splice(0).map((lane) => lane.stop()));
  });

  for (const proxy of PROXIES) {
    it(`loses no POST with BEHIND=${proxy.behind}, where stock Node closes first and loses some`, async function () {
      if (!hasProgram(proxy.name)) return skip(this, `there is no ${proxy.name} here`);
      const settings = { pools: POOLS, size: SIZE, directory: scratch.path(proxy.name) };
      for (const isTuned of [false, true]) lanes.push(await startLane(proxy, isTuned, settings));
      const idle = await stockIdleTime();
      const load = { pools: POOLS, size: SIZE, rounds: 1, idle: [idle - 60, idle + 20] } as const;
      let lost = 0;
      for (let round = 0; round < MOST_ROUNDS && lost === 0; round++) {
        const [stock, tuned] = await Promise.all(lanes.map((lane) => lane.send(load)));
        expect([...(tuned?.lost ?? [])]).to.deep.equal([]);
        expect(tuned?.answered).to.equal(2 * POOLS * SIZE);
        lost = stock === undefined ? 0 : lostOf(stock);
      }
      // Whether a POST meets the moment in which Node closes is luck, and on a fast machine that moment is short.
      if (lost === 0) skip(this, `stock Node has lost none behind ${proxy.name} in ${MOST_ROUNDS} rounds`);
    }).timeout(MOST_ROUNDS * 20_000);
  }
});
