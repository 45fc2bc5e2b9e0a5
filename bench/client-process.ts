// Process of client.ts: takes jobs from its parent, one at a time, and ends with it.

import type { Answer, ConnectJob, HoldJob, Job, OpenJob, RepeatJob, RunJob } from './client.js';
import { HttpConnection, Patience } from './http-connection.js';
import { NOTHING } from './sockets.js';

/** Connections that stay open between jobs, and the request for them. */
const kept: HttpConnection[] = [];
let request: Buffer = Buffer.alloc(0);
let bodyLength = 0;

interface Made {
  readonly requests?: number;
  readonly latencies?: readonly number[];
}

function getRequest(path: string): Buffer {
  return Buffer.from(`GET /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
}

/** Every connection has a request under way, and is read as its answer arrives. */
function run({ seconds, requests }: Omit<RunJob, 'kind'>): Made {
  const until = performance.now() + seconds * 1e3;
  const busy = new Set<HttpConnection>();
  let asked = 0;
  const ask = (connection: HttpConnection): void => {
    asked++;
    busy.add(connection);
    connection.write(request);
  };
  const finish = (connection: HttpConnection): void => {
    if (asked < requests && performance.now() < until) return ask(connection);
    busy.delete(connection);
  };
  for (const connection of kept.slice(0, requests)) ask(connection);
  const patience = new Patience();
  while (busy.size > 0) {
    for (const connection of busy) {
      const length = connection.poll();
      if (length === NOTHING) continue;
      patience.renew();
      if (length === undefined) continue;
      if (length !== bodyLength) throw new Error(`a body of ${length} bytes instead of ${bodyLength}`);
      finish(connection);
    }
    patience.check();
  }
  return { requests: asked };
}

function open(job: OpenJob): Made {
  if (job.protocol !== 'http') throw new Error(`${job.protocol} is not spoken without a C compiler`);
  request = getRequest(job.path);
  bodyLength = job.bodyLength;
  for (let index = 0; index < job.connections; index++) kept.push(new HttpConnection(job.port));
  return run({ seconds: 0, requests: job.connections });
}

function hold({ port, path, connections }: HoldJob): Made {
  for (let index = 0; index < connections; index++) {
    const connection = new HttpConnection(port);
    connection.write(getRequest(path));
    kept.push(connection);
  }
  return {};
}

function closeAll(): Made {
  for (const connection of kept.splice(0)) connection.close({ abort: true });
  return {};
}

function repeat({ port, parts, requests, seconds }: RepeatJob): Made {
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
  return { requests: latencies.length, latencies };
}

function connectAgainAndAgain({ port, path, connections }: ConnectJob): Made {
  const get = getRequest(path);
  for (let opened = 0; opened < connections; opened++) {
    const connection = new HttpConnection(port);
    connection.write(get);
    connection.read();
    connection.close({ abort: true });
  }
  return { requests: connections };
}

function perform(job: Job): Made {
  switch (job.kind) {
    case 'open':
      return open(job);
    case 'run':
      return run(job);
    case 'hold':
      return hold(job);
    case 'close':
      return closeAll();
    case 'repeat':
      return repeat(job);
    case 'connect':
      return connectAgainAndAgain(job);
  }
}

function answer(job: Job): Answer {
  const start = performance.now();
  try {
    const { requests = 0, latencies = [] } = perform(job);
    return { outcome: { requests, seconds: (performance.now() - start) / 1e3, latencies } };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on('message', (job: Job) => {
  process.send?.(answer(job), undefined, undefined, (error) => {
    // The parent has ended, so there is no receiver.
    if (error !== null) process.exit(1);
  });
});
