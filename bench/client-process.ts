// The process behind client.ts: takes jobs from its parent, one at a time, and ends with it.

import type { Answer, ConnectJob, Job, LoadJob, SplitJob } from './client.js';
import { HttpConnection, Patience } from './http-connection.js';
import { NOTHING } from './sockets.js';

function getRequest(path: string): Buffer {
  return Buffer.from(`GET /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
}

/** All connections have a request under way, and each is read as its answer comes in. */
function load({ port, path, bodyLength, connections, requests }: LoadJob): void {
  const request = getRequest(path);
  const busy = new Set<HttpConnection>();
  for (let index = 0; index < connections; index++) busy.add(new HttpConnection(port));
  let asked = 0;
  const ask = (connection: HttpConnection): void => {
    if (asked++ < requests) return connection.write(request);
    busy.delete(connection);
    connection.close();
  };
  for (const connection of busy) ask(connection);
  const patience = new Patience();
  while (busy.size > 0) {
    for (const connection of busy) {
      const length = connection.poll();
      if (length === NOTHING) continue;
      patience.renew();
      if (length === undefined) continue;
      if (length !== bodyLength) throw new Error(`a body of ${length} bytes instead of ${bodyLength}`);
      ask(connection);
    }
    patience.check();
  }
}

function split({ port, parts, requests, seconds }: SplitJob): number[] {
  const connection = new HttpConnection(port, { noDelay: false });
  const writes = parts.map((part) => Buffer.from(part));
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1e3;
  for (let before = performance.now(); latencies.length < requests && before < until; ) {
    connection.write(...writes);
    connection.read();
    const after = performance.now();
    latencies.push(after - before);
    before = after;
  }
  connection.close();
  return latencies;
}

function connectAgainAndAgain({ port, path, connections }: ConnectJob): void {
  const request = getRequest(path);
  for (let opened = 0; opened < connections; opened++) {
    const connection = new HttpConnection(port);
    connection.write(request);
    connection.read();
    connection.close({ abort: true });
  }
}

/** Milliseconds of each request, where the job asks for them. */
function perform(job: Job): number[] {
  if (job.kind === 'split') return split(job);
  if (job.kind === 'load') load(job);
  else connectAgainAndAgain(job);
  return [];
}

function answer(job: Job): Answer {
  const start = performance.now();
  try {
    const latencies = perform(job);
    return { outcome: { seconds: (performance.now() - start) / 1e3, latencies } };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on('message', (job: Job) => {
  process.send?.(answer(job));
});
