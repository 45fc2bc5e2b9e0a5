import type { PortSocket } from '../../native/ports/port-socket.js';
import { imbalanceOf } from '../../report/listener-record.js';
import { type CheckResult, type Circumstances, unknown } from './check.js';

/** Listeners that share a port, and the connections of each process. */
interface PortUse {
  readonly port: number;
  readonly listeners: number;
  /** Connections that wait to be accepted. */
  readonly queued: number;
  /** Open connections by process; -1 where the process is unknown. */
  readonly open: ReadonlyMap<number, number>;
}

/** With fewer connections for each listener, an imbalance is chance. */
const LEAST_PER_LISTENER = 20;

/** The busiest listener divided by the mean. With a hash of the addresses, 2 listeners with 32 connections each are nearly always below. */
const COMFORTABLE_IMBALANCE = 1.5;

function countEach<K>(of: readonly K[]): Map<K, number> {
  const counts = new Map<K, number>();
  for (const key of of) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** The ports that more than one socket listens on. */
function sharedPorts(sockets: readonly PortSocket[], owners: ReadonlyMap<number, number>): PortUse[] {
  const listeners = sockets.filter(({ state }) => state === 'LISTEN');
  const groups = countEach(listeners.map(({ family, address, port }) => `${family} ${address} ${port}`));
  const ports = new Set(
    listeners.filter((one) => (groups.get(`${one.family} ${one.address} ${one.port}`) ?? 0) > 1).map((one) => one.port),
  );
  return [...ports].map((port) => {
    const mine = listeners.filter((one) => one.port === port);
    const open = sockets.filter((one) => one.state === 'ESTAB' && one.port === port);
    return {
      port,
      listeners: mine.length,
      queued: mine.reduce((sum, { queued }) => sum + queued, 0),
      open: countEach(open.map(({ inode }) => owners.get(inode) ?? -1)),
    };
  });
}

/** The busiest process divided by the mean of all listeners; undefined if there are too few connections. */
function imbalance({ listeners, open }: PortUse): number | undefined {
  const counts = [...open.values()];
  const total = counts.reduce((sum, connections) => sum + connections, 0);
  return total < listeners * LEAST_PER_LISTENER ? undefined : imbalanceOf(counts, listeners);
}

function describePort(shared: PortUse): string {
  const open = [...shared.open].map(([pid, connections]) => `${pid < 0 ? 'others' : `process ${pid}`} ${connections}`);
  const uneven = imbalance(shared);
  return [
    `port ${shared.port}: ${shared.listeners} listeners`,
    `open connections: ${open.join(', ') || 'none'}`,
    ...(shared.queued === 0 ? [] : [`${shared.queued} wait to be accepted`]),
    ...(uneven === undefined ? [] : [`imbalance ${uneven.toFixed(2)}`]),
  ].join(', ');
}

/** Checks the shared ports of this machine. */
export function lookAtSharedPorts({ platform, machine }: Circumstances): CheckResult {
  const sockets = platform.ports?.sockets(0, 'LISTEN', 'ESTAB');
  if (sockets === undefined) return unknown();
  const shared = sharedPorts(sockets, machine.socketOwners());
  if (shared.length === 0) return { value: 'none', verdict: 'ok' };
  const isUneven = shared.some((one) => (imbalance(one) ?? 1) > COMFORTABLE_IMBALANCE);
  return { value: shared.map(describePort).join('; '), verdict: isUneven ? 'advice' : 'ok' };
}
