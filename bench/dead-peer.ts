import { cutOff, type Fate, SET_SECONDS } from '../test/network/dead-peer.js';
import { goal } from './goal.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';

/** Goal: detection takes at most this factor of the set time. */
const GOAL = 1.2;

const MEANING: Readonly<Record<Fate['query'], string>> = {
  unacknowledged: 'sent when the server was gone',
  waiting: 'acknowledged, its answer still to come',
};

function row({ app, query, end }: Fate, seconds: number): Cell[] {
  const elapsed = end === undefined ? undefined : end.milliseconds / 1e3;
  const reached = app === 'stock' || elapsed === undefined ? '' : goal(elapsed / SET_SECONDS, GOAL, ' x set');
  return [MEANING[query], app, end?.code ?? `hangs after ${seconds} s`, elapsed, reached];
}

async function run({ quick }: Effort): Promise<Result> {
  const seconds = quick ? SET_SECONDS * 2 : 30;
  const fates = await cutOff(seconds);
  return {
    tables: [
      {
        title: `A query by the pg package to PostgreSQL whose machine falls silent; ${SET_SECONDS} s set`,
        columns: ['query', 'app', 'end', 'seconds', 'goal'],
        rows: fates.map((fate) => row(fate, seconds)),
      },
    ],
    notes: [
      'a network namespace behind a pair of virtual interfaces, of which the far one is set down',
      'SOCKET_TUNE_CONNECT_DEAD_PEER=5s',
      'stock Node waits for the kernel: about 15 minutes for data that is not acknowledged, for ever for an answer',
    ],
  };
}

export const deadPeer: Scenario = {
  name: 'dead-peer',
  what: 'how long a database query hangs when the server’s machine is gone (root and PostgreSQL needed)',
  onlyByName: true,
  run,
};
