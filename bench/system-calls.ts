import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.js';
import type { Contender } from './contenders.js';
import { withScratch } from './scratch.js';

/** Calls of setsockopt and getsockopt on accepted connections. */
export interface SocketOptionCalls {
  readonly onFirst: number;
  readonly onLater: number;
}

/** Options of strace. `-I 2`: with `-o` alone, strace would block the signal that stops the server. */
const TRACE = ['strace', '-f', '-qq', '-I', '2', '-e', 'trace=accept,accept4,setsockopt,getsockopt', '-o'] as const;

/** `42 accept4(20, NULL, NULL, SOCK_CLOEXEC|SOCK_NONBLOCK) = 21`, also after an interruption by another thread's call. */
const ACCEPTED = /\baccept4?(?:\(| resumed>).*\) += (\d+)$/;
const OPTION = /\b[gs]etsockopt\((\d+),/;

/** Descriptor numbers are used again: a call belongs to the latest connection with the number. */
function count(trace: string): SocketOptionCalls {
  const connectionOf = new Map<string, number>();
  let accepted = 0;
  let onFirst = 0;
  let onLater = 0;
  for (const line of trace.split('\n')) {
    const client = ACCEPTED.exec(line)?.[1];
    if (client !== undefined) connectionOf.set(client, accepted++);
    const connection = connectionOf.get(OPTION.exec(line)?.[1] ?? '');
    if (connection === undefined) continue;
    if (connection === 0) onFirst++;
    else onLater++;
  }
  if (accepted === 0) throw new Error('the trace shows no accepted connection');
  return { onFirst, onLater };
}

/** Count the calls of a server that accepts connections under strace. */
export function countSocketOptionCalls(
  client: Client,
  start: (app: string, environment: Readonly<Record<string, string>>, under: readonly string[]) => Promise<Contender>,
  app: string,
  connections: number,
): Promise<SocketOptionCalls> {
  return withScratch(async (scratch) => {
    const trace = join(scratch, 'trace');
    const { server } = await start(app, {}, [...TRACE, trace]);
    try {
      await client.run({ kind: 'connect', port: server.port, path: '', connections });
    } finally {
      await server.stop();
    }
    return count(readFileSync(trace, 'utf8'));
  });
}
