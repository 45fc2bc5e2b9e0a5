import type { PortSocket } from '../../native/ports/port-socket.js';
import { type CheckResult, type Circumstances, unknown } from './check.js';

const LIMIT = 'net.core.somaxconn';

/** A longer queue by this factor, as a first try. */
const STEP = 2;

/** What raises the limit of a queue that is full: the system's, or the listener's own. */
function mendFor(circumstances: Circumstances, { backlog }: PortSocket): string {
  const most = Number(circumstances.machine.sysctl(LIMIT)?.[0]);
  return backlog >= most ? `sysctl -w ${LIMIT}=${most * STEP}` : `SOCKET_TUNE_BACKLOG=${backlog * STEP}`;
}

/** Checks whether accept queues were full since this network namespace began, and which are full now. */
export function lookAtAcceptQueues(circumstances: Circumstances): CheckResult {
  const { machine, platform } = circumstances;
  const overflowed = machine.counter('ListenOverflows');
  const dropped = machine.counter('ListenDrops');
  if (overflowed === undefined || dropped === undefined) return unknown();
  const full = (platform.ports?.sockets(0, 'LISTEN') ?? []).filter(({ queued, backlog }) => queued > backlog);
  const [first] = full;
  const value = [
    `${overflowed} overflows, ${dropped} drops since the network namespace began`,
    ...full.map(({ port, queued, backlog }) => `port ${port} is full: ${queued} wait, its limit is ${backlog}`),
  ].join('; ');
  if (first !== undefined) return { value, verdict: 'advice', mend: mendFor(circumstances, first) };
  return { value, verdict: overflowed + dropped === 0 ? 'ok' : 'advice' };
}
