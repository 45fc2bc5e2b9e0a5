// Process of outgoing.ts: a client. It is told a way and a number of times, and answers with its CPU for each, in microseconds.

import http from 'node:http';
import { connect } from 'node:net';

const port = Number(process.argv[2]);
const host = '127.0.0.1';

/** Lanes that go on at the same time. */
const LANES = 4;

const agent = new http.Agent({ keepAlive: true });

function request(through: http.Agent | false): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = http.get({ host, port, agent: through }, (response) => response.resume().on('end', resolve));
    sent.on('error', reject);
  });
}

const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
  connection: () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, host, () => socket.destroy());
      socket.on('error', reject).on('close', resolve);
    }),
  'a request on a connection of its own': () => request(false),
  'http.Agent': () => request(agent),
  fetch: async () => (await fetch(`http://${host}:${port}/`)).text(),
};

async function measure(way: string, times: number): Promise<number> {
  const act = WAYS[way];
  if (act === undefined) throw new Error(`no way ${way}`);
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    for (let time = 0; time < times; time += LANES) await act();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

process.on('message', async ([way, times]: [string, number]) => process.send?.(await measure(way, times)));
process.once('disconnect', () => process.exit());
