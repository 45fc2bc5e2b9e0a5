import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineReader } from '../lines.js';
import { entry, PRELOAD } from '../machine.js';
import { type ServingProcess, startProcess } from '../server.js';
import { type Client, newTally, type Tally } from './client.js';
import { type ProxyName, startProxy } from './proxy.js';

/** A supervisor kills what has not ended by then. */
const DEADLINE_MILLISECONDS = 8000;

const CONNECTIONS = 50;

/** Of load between two restarts. */
const PAUSE_MILLISECONDS = 300;

/** How a server is started. */
export interface Subject {
  /** See leaving-server.ts. */
  readonly kind: string;
  readonly hasHandler: boolean;
  /** Without the preload if there are none. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly client: Client;
}

/** What several restarts under load have come to. */
export interface Outcome extends Tally {
  /** How the processes ended: signals, or exit codes. */
  readonly ends: readonly string[];
  /** Seconds that the slowest took. */
  readonly longest: number;
}

interface Instance extends ServingProcess {
  readonly port: number;
}

async function start({ kind, hasHandler, variables }: Subject, port = 0): Promise<Instance> {
  const preload = variables === undefined ? [] : ['--import', PRELOAD];
  const environment = { KIND: kind, HANDLER: hasHandler ? '1' : '0', PORT: String(port), ...variables };
  const started = startProcess([process.execPath, ...preload, entry('leaving/leaving-server')], environment);
  return { ...started, port: Number(await lineReader(started.child)()) };
}

interface Ended {
  readonly how: string;
  readonly seconds: number;
}

/** Ask a process to end, as supervisors do: SIGKILL after a deadline. */
async function end({ child }: Instance): Promise<Ended> {
  const began = performance.now();
  const killed = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MILLISECONDS);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const [code, signal] = await exited;
  clearTimeout(killed);
  return { how: String(signal ?? code), seconds: (performance.now() - began) / 1e3 };
}

/** Run clients while `restart` is called again and again, and until enough was answered. */
async function underLoad(
  { client }: Subject,
  port: () => number,
  { restarts, least }: { readonly restarts: number; readonly least: number },
  restart: () => Promise<Ended>,
): Promise<Outcome> {
  const tally = newTally();
  let isOver = false;
  const clients = Array.from({ length: CONNECTIONS }, () => client(port, tally, () => isOver));
  const ends: Ended[] = [];
  for (let count = 0; count < restarts; count++) {
    await sleep(PAUSE_MILLISECONDS);
    ends.push(await restart());
  }
  while (tally.answered < least) await sleep(PAUSE_MILLISECONDS);
  isOver = true;
  await Promise.all(clients);
  return { ...tally, ends: ends.map(({ how }) => how), longest: Math.max(...ends.map(({ seconds }) => seconds)) };
}

/** How much is done. */
export interface Amount {
  readonly restarts: number;
  /** Answers. */
  readonly least: number;
}

/**
 * Clients choose a server from a list. A new one is started; the old one is told to end, and taken off the list some time later: such is
 * the order of events in Kubernetes.
 *
 * @param late milliseconds from the signal until the list is without the old one
 */
export async function rollOut(subject: Subject, late: number, amount: Amount): Promise<Outcome> {
  let current = await start(subject);
  let listed = [current];
  const port = (): number => listed[Math.floor(Math.random() * listed.length)]?.port ?? 0;
  try {
    return await underLoad(subject, port, amount, async () => {
      const old = current;
      current = await start(subject);
      listed = late === 0 ? [current] : [old, current];
      const ended = end(old);
      if (late > 0) await sleep(late);
      listed = [current];
      return ended;
    });
  } finally {
    current.child.kill('SIGKILL');
  }
}

/** Two servers behind a proxy are restarted in turn, each on its port. */
export async function restartBehind(
  proxy: ProxyName,
  subject: Subject,
  amount: Amount,
  directory: string,
): Promise<Outcome> {
  const servers = await Promise.all([start(subject), start(subject)]);
  const front = await startProxy(
    proxy,
    servers.map(({ port }) => port),
    directory,
  );
  try {
    return await underLoad(
      subject,
      () => front.port,
      amount,
      async () => {
        const old = servers.shift();
        if (old === undefined) throw new Error('no server');
        const ended = await end(old);
        servers.push(await start(subject, old.port));
        return ended;
      },
    );
  } finally {
    await front.stop();
    for (const { child } of servers) child.kill('SIGKILL');
  }
}
