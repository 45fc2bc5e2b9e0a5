import type { Client } from './client.js';
import type { Contender } from './contenders.js';
import type { Body } from './scratch.js';

/** A server under load. */
export interface Sample {
  /** CPU time of the server for one request, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly requestsPerSecond: number;
  /** How busy the server was, from 0 to 1: what is left of its core shows that something else was the limit. */
  readonly busy: number;
}

export interface Load {
  readonly body: Body;
  readonly requests: number;
  readonly connections: number;
}

/** What one contender uses to serve a load. */
export async function serve(client: Client, { server }: Contender, load: Load): Promise<Sample> {
  const { body, requests, connections } = load;
  const before = server.cpuSeconds();
  const { port } = server;
  const { seconds } = await client.run({
    kind: 'load',
    port,
    path: body.name,
    bodyLength: body.bytes,
    connections,
    requests,
  });
  const cpuSeconds = server.cpuSeconds() - before;
  return {
    cpuMicroseconds: (cpuSeconds / requests) * 1e6,
    requestsPerSecond: requests / seconds,
    busy: cpuSeconds / seconds,
  };
}
