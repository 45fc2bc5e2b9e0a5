import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/sockets/free-port.js';
import { lineReader } from '../lines.js';
import { entry, PRELOAD } from '../machine.js';
import type { ProxyName } from '../proxies/start.js';
import { type ServingProcess, startProcess } from '../server.js';
import { type Amount, type Ended, type Outcome, underLoad } from './load.js';
import { startProxy } from './proxy.js';
import { type Subject, serverVariables } from './subject.js';

/** A supervisor kills what has not ended by then. */
export const DEADLINE_MILLISECONDS = 6000;

interface Instance extends ServingProcess {
  readonly port: number;
}

async function start(subject: Subject, port = 0): Promise<Instance> {
  const preload = subject.variables === undefined ? [] : ['--import', PRELOAD];
  const command = [process.execPath, ...preload, entry('leaving/leaving-server')];
  const started = startProcess(command, serverVariables(subject, port));
  return { ...started, port: Number(await lineReader(started.child)()) };
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

/**
 * Clients choose a server from a list. A new one is started; the old one is told to end, and taken off the list some time later: such is
 * the order of events in Kubernetes.
 *
 * @param late milliseconds from the signal until the list is without the old one
 */
export async function rollOut(subject: Subject, amount: Amount, late = 0): Promise<Outcome> {
  let current = await start(subject);
  let listed = [current];
  const port = (): number => listed[Math.floor(Math.random() * listed.length)]?.port ?? 0;
  try {
    return await underLoad(subject.client, port, amount, async () => {
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

/** A restart of the server that is first in a list. Its port stays the same, and the list is up to date after it. */
type Restart = (subject: Subject, servers: Instance[]) => Promise<Ended>;

/** The port has no listener for some time, so this is for one of several servers. */
const stopThenStart: Restart = async (subject, servers) => {
  const [old] = servers;
  if (old === undefined) throw new Error('no server');
  const ended = await end(old);
  servers.push(await start(subject, old.port));
  servers.shift();
  return ended;
};

/** Both listen for some time: the subject shares its port. */
const startThenStop: Restart = async (subject, servers) => {
  const [old] = servers;
  if (old === undefined) throw new Error('no server');
  servers.push(await start(subject, old.port));
  servers.shift();
  return await end(old);
};

async function restartBehind(
  proxy: ProxyName,
  subject: Subject,
  amount: Amount,
  directory: string,
  { upstreams, restart }: { readonly upstreams: number; readonly restart: Restart },
): Promise<Outcome> {
  // A port that the kernel chooses is not shared.
  const servers = await Promise.all(Array.from({ length: upstreams }, async () => start(subject, await freePort())));
  const ports = servers.map(({ port }) => port);
  const front = await startProxy(proxy, ports, directory);
  try {
    return await underLoad(
      subject.client,
      () => front.port,
      amount,
      () => restart(subject, servers),
    );
  } finally {
    await front.stop();
    for (const { child } of servers) child.kill('SIGKILL');
  }
}

/** Two servers behind a proxy are restarted in turn, each on its port. */
export function restartOneOfTwo(
  proxy: ProxyName,
  subject: Subject,
  amount: Amount,
  directory: string,
): Promise<Outcome> {
  return restartBehind(proxy, subject, amount, directory, { upstreams: 2, restart: stopThenStart });
}

/** One server behind a proxy is replaced: by another that shares its port, if it can. */
export function replaceTheOne(proxy: ProxyName, subject: Subject, amount: Amount, directory: string): Promise<Outcome> {
  const sharesPort = subject.variables?.SOCKET_TUNE_REUSEPORT === 'on';
  const restart = sharesPort ? startThenStop : stopThenStart;
  return restartBehind(proxy, subject, amount, directory, { upstreams: 1, restart });
}
