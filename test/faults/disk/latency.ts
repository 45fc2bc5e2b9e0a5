import { Agent, get as httpGet } from 'node:http';
import { pause } from '../talk.js';

function once(agent: Agent, port: number): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = httpGet({ agent, host: '127.0.0.1', port, path: '/second' }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - began));
    });
    request.on('error', reject);
  });
}

export function p99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}

/** Milliseconds that small requests take, one after another, until something is done. */
export async function latenciesUntil(port: number, done: Promise<unknown>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies: number[] = [];
  let isDone = false;
  const end = done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    latencies.push(await once(agent, port));
    await pause(1);
  }
  await end;
  agent.destroy();
  return latencies;
}
