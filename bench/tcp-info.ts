import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tcpInfo } from '../src/api/tcp-info.js';
import { goal } from './goal.js';
import type { Effort, Result, Scenario } from './scenario.js';
import { median } from './statistics.js';

const CONNECTIONS = 1000;
const ROUNDS = 50;
const GOAL_MILLISECONDS = 2;

/** Open connections within this process: the kernel answers alike for any. */
async function openConnections(): Promise<{ accepted: Socket[]; close(): void }> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1', 4096);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  while (accepted.length < CONNECTIONS) await new Promise(setImmediate);
  const close = (): void => {
    for (const socket of [...clients, ...accepted]) socket.destroy();
    server.close();
  };
  return { accepted, close };
}

async function run({ quick }: Effort): Promise<Result> {
  const { accepted, close } = await openConnections();
  const rounds = Array.from({ length: quick ? 10 : ROUNDS }, () => {
    const start = performance.now();
    for (const socket of accepted) tcpInfo(socket);
    return performance.now() - start;
  });
  close();
  const milliseconds = median(rounds);
  return {
    tables: [
      {
        title: `tcpInfo(socket) of ${CONNECTIONS} connections`,
        columns: ['ms for all', 'µs for one', 'goal'],
        rows: [[milliseconds, milliseconds, goal(milliseconds, GOAL_MILLISECONDS, ' ms')]],
      },
    ],
    comparisons: [
      {
        id: 'tcp-info',
        title: `Time to look at ${CONNECTIONS} connections`,
        what: 'How long `tcpInfo(socket)` of all connections of a busy server takes, in which it does nothing else.',
        unit: 'ms',
        better: 'lower',
        kind: 'bars',
        xTitle: '',
        series: [{ contender: 'tuned', points: [{ x: `${CONNECTIONS} connections`, samples: rounds }] }],
      },
    ],
    notes: [`median of ${rounds.length} rounds`],
  };
}

export const tcpInfoScenario: Scenario = {
  name: 'tcp-info',
  what: 'what it costs to ask about many open connections, as the page and top do',
  run,
};
