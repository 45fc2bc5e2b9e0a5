import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/sockets/free-port.js';
import { goal } from './goal.js';
import { PRELOAD } from './machine.js';
import { cpuClock } from './process-usage.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { type ServingProcess, startProcess } from './server.js';
import { median } from './statistics.js';

/** Goal: the open page costs at most this share of a core. */
const GOAL_PERCENT = 1;

/** As the page asks, and `socket-tune top`. */
const PERIOD_MS = 1000;

/** Snapshots before the measurement: the first ones compile the code. */
const WARM_UP = 5;

/** Connections that are opened at once. */
const BATCH = 100;

/** Destinations: addresses of loopback. */
const HOSTS = 50;

const SINK = `
const server = require('node:net').createServer((socket) => socket.on('error', () => {}));
server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () => console.log(server.address().port));`;

const CLIENT = `
const { connect } = require('node:net');
const [port, connections] = process.argv.slice(1).map(Number);
const open = (index) => new Promise((resolve, reject) => {
  connect(port, '127.0.0.' + (1 + (index % ${HOSTS})), resolve).on('error', reject);
});
(async () => {
  for (let from = 0; from < connections; from += ${BATCH}) {
    const batch = Math.min(${BATCH}, connections - from);
    await Promise.all(Array.from({ length: batch }, (_, index) => open(from + index)));
  }
  console.log('open');
})();`;

async function firstLine({ child }: ServingProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no output');
  const [text] = await once(child.stdout, 'data');
  return String(text).trim();
}

/** A process that holds connections open, and can be watched. */
export interface Watched {
  readonly url: string;
  cpuSeconds(): number;
}

/** Call `use` with a process that has so many outgoing connections open, to 50 destinations. */
export async function withConnections<T>(connections: number, use: (watched: Watched) => Promise<T>): Promise<T> {
  const inspect = await freePort();
  const sink = startProcess([process.execPath, '-e', SINK]);
  const port = await firstLine(sink);
  const environment = { SOCKET_TUNE_CONNECT: 'on', SOCKET_TUNE_INSPECT: `127.0.0.1:${inspect}` };
  const command = [process.execPath, '--import', PRELOAD, '-e', CLIENT, port, String(connections)];
  const client = startProcess(command, environment);
  try {
    await firstLine(client);
    return await use({ url: `http://127.0.0.1:${inspect}/`, cpuSeconds: cpuClock(client.pid) });
  } finally {
    await client.stop();
    await sink.stop();
  }
}

async function look(url: string): Promise<void> {
  await (await fetch(new URL('snapshot.json', url))).arrayBuffer();
}

/** The share of a core that a process takes while the page is open, and while it is not, in percent: one figure a second. */
async function shares({ url, cpuSeconds }: Watched, seconds: number): Promise<{ watched: number[]; alone: number[] }> {
  for (let count = 0; count < WARM_UP; count++) await look(url);
  const measured = async (act: () => Promise<void>): Promise<number[]> => {
    const figures: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const before = cpuSeconds();
      await act();
      await sleep(PERIOD_MS);
      figures.push((cpuSeconds() - before) * 100);
    }
    return figures;
  };
  return { watched: await measured(() => look(url)), alone: await measured(() => Promise.resolve()) };
}

async function run({ quick }: Effort): Promise<Result> {
  const rows: Cell[][] = [];
  for (const connections of [1, 1000, 5000]) {
    const { watched, alone } = await withConnections(connections, (process) => shares(process, quick ? 3 : 15));
    const added = median(watched) - median(alone);
    rows.push([connections, median(alone), median(watched), Math.max(...watched), goal(added, GOAL_PERCENT, ' %')]);
  }
  return {
    tables: [
      {
        title:
          'CPU of a process with outgoing connections to 50 destinations while the page is open, in percent of a core',
        columns: ['connections', 'not watched', 'watched, median second', 'greatest second', 'goal'],
        rows,
      },
    ],
    notes: ['a snapshot a second, as the page and top ask for; all threads, by /proc/PID/task/*/schedstat'],
  };
}

export const watching: Scenario = {
  name: 'watching',
  what: 'what the page costs a process with thousands of outgoing connections',
  onlyByName: true,
  run,
};
