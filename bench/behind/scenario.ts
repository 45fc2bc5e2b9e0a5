import { goal } from '../goal.js';
import { hasProgram } from '../machine.js';
import type { Cell, Effort, Result, Scenario } from '../scenario.js';
import { withScratch } from '../scratch.js';
import { withStarted } from '../server.js';
import type { Fates } from './bursts.js';
import { type Lane, startLane, stockIdleTime } from './lane.js';
import { PROXIES } from './proxy.js';

/**
 * Milliseconds around a whole second, at which a side closes: most of it before, as the first connections of a burst have been idle for
 * longer than the last one.
 */
const AROUND = [-60, 20] as const;

function around(idle: number): readonly [number, number] {
  const [before, after] = AROUND;
  return [idle + before, idle + after];
}

const SIZE = 25;

/** nginx's own idle time, at whose end it closes. */
const NGINX_IDLE = 60_000;

function lostOf({ lost }: Fates): number {
  return [...lost.values()].reduce((sum, count) => sum + count, 0);
}

function row({ proxy, isTuned }: Lane, idle: number, fates: Fates): Cell[] {
  const lost = lostOf(fates);
  const how = [...fates.lost].map(([end, count]) => `${count} × ${end}`).join(', ');
  return [
    proxy,
    isTuned ? `BEHIND=${proxy}` : 'stock',
    idle / 1000,
    fates.answered + lost,
    lost,
    how,
    isTuned ? goal(lost, 0) : '',
  ];
}

async function run({ quick }: Effort): Promise<Result> {
  const proxies = PROXIES.filter(({ name }) => hasProgram(name));
  const missing = PROXIES.filter((proxy) => !proxies.includes(proxy)).map(({ name }) => `there is no ${name} here`);
  // 40 pools with 10 bursts of 25: 10,000 requests, and those that open the connections.
  const [pools, rounds] = quick ? [40, 1] : [40, 10];
  const idle = await stockIdleTime();
  return withScratch((directory) => {
    const starting = proxies.flatMap((proxy) =>
      [false, true].map((isTuned) => startLane(proxy, isTuned, { pools, size: SIZE, directory })),
    );
    return withStarted(
      starting,
      (lane) => lane.stop(),
      async (lanes) => {
        // At the same time: they wait for most of it.
        const send = (some: readonly Lane[], bursts: number, time: number): Promise<Cell[][]> =>
          Promise.all(
            some.map(async (lane) => {
              const load = { pools, size: SIZE, rounds: bursts, idle: around(time) };
              return row(lane, time, await lane.send(load));
            }),
          );
        const rows = await send(lanes, rounds, idle);
        const patient = lanes.filter((one) => one.isTuned && one.proxy === 'nginx');
        if (!quick) rows.push(...(await send(patient, 1, NGINX_IDLE)));
        return {
          tables: [
            {
              title:
                'POSTs through a proxy that pools its connections to the app, when they have been idle for so long',
              columns: ['proxy', 'app', 'idle for (s)', 'requests', 'lost', 'how', 'goal'],
              rows,
            },
          ],
          notes: [
            `${pools} pools; bursts of ${SIZE} POSTs each, from ${-AROUND[0]} ms before to ${AROUND[1]} ms after the idle time; all times are the proxies' own`,
            `this Node, stock, closes an idle connection after ${idle / 1000} s`,
            ...missing,
          ],
        };
      },
    );
  });
}

export const behind: Scenario = {
  name: 'behind',
  what: 'requests that are lost as the app closes idle connections before its proxy does (nginx and HAProxy needed)',
  onlyByName: true,
  run,
};
