import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { boundAddress, hasPeer } from '../../node/addresses.js';
import type { HandleMessage } from '../../node/cluster.js';
import type { SocketHandle } from '../../node/net.js';
import type { Plan, Step } from '../../options/plan.js';
import { counters } from '../../report/counters.js';
import { addListenerRecord, type ListenerRecord } from '../../report/listener-record.js';
import { noteConnection } from '../../report/live/connections.js';
import { type HookContext, planToReport, valuesAt } from '../context.js';
import { warnOfFailures } from '../warn.js';
import { tuneForeignSocket } from './foreign-socket.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning, type Tuning } from './tuning.js';

/** A listener of another process, whose connections are sent to this one. */
interface RemoteListener extends Tuning {
  readonly context: HookContext;
  readonly plan: Plan;
  readonly record: ListenerRecord;
  /** The first connection has shown that the listener is tuned. Later ones are trusted. */
  isTuned: boolean;
}

/** A process that opens listeners without end must not fill the memory of this one. */
const MOST_LISTENERS = 256;

/** The listeners behind one IPC channel, each by the other process's name for it and by its address. */
export type RemoteListeners = Map<string, RemoteListener>;

function makeListener(context: HookContext, address: string, port: number | undefined): RemoteListener {
  const platform = context.platform();
  const values = valuesAt(context, port);
  const { exactBuffers } = context;
  const kind = { target: 'accepted', family: 'tcp', clientSpeaksFirst: false, exactBuffers } as const;
  const plan = planToReport(context, values, kind);
  const restored: readonly Step[] = plan.steps.filter((step) => step.row.rewrittenByNode);
  const record: ListenerRecord = { address: `${address} (elsewhere)`, outcomes: [], accepted: [], connections: 0 };
  return { context, platform, values, plan, restored, record, isTuned: false };
}

function listenerOf(
  context: HookContext,
  listeners: RemoteListeners,
  name: string,
  handle: SocketHandle,
): RemoteListener {
  const known = listeners.get(name);
  if (known !== undefined) return known;
  const { address, port } = boundAddress(handle);
  // A socket that came before the preload is known by its address only.
  const sameAddress = listeners.get(address);
  const listener = sameAddress ?? makeListener(context, address, port);
  if (listeners.size < MOST_LISTENERS) listeners.set(name, listener).set(address, listener);
  if (sameAddress === undefined) addListenerRecord(listener.record);
  return listener;
}

const flag = new Int32Array(1);

/**
 * Whether a listener has accepted this connection, as far as the kernel can tell. libuv sets SO_REUSEADDR on listeners, and accepted
 * sockets inherit it. A connecting socket has it only if it was bound to a port first.
 */
function isAccepted(platform: Platform, handle: SocketHandle): boolean {
  const { SO_REUSEADDR: constant } = platform.constants;
  return hasPeer(handle) && constant !== undefined && platform.get(handle, constant, flag) === 0 && flag[0] === 1;
}

/**
 * The name of the listener that has accepted a socket: the other process's own name for it, or else its address.
 *
 * @returns undefined if no listener has, or the handle is no TCP socket
 */
function listenerName(platform: Platform, { type, key, msg }: HandleMessage, handle: SocketHandle): string | undefined {
  // A cluster's primary sends connections to a listener of this process, which tunes them.
  const isClusters = typeof msg === 'object' && msg !== null && /^NODE_/.test(String(Reflect.get(msg, 'cmd')));
  if (familyOf(handle) !== 'tcp' || isClusters) return undefined;
  if (type === 'net.Socket' && typeof key === 'string') return key;
  if (type !== 'net.Socket' && type !== 'net.Native') return undefined;
  return isAccepted(platform, handle) ? boundAddress(handle).address : undefined;
}

function tuneRemote(listener: RemoteListener, handle: SocketHandle): void {
  const { context, platform, plan, record, values } = listener;
  if (!listener.isTuned) {
    const { outcomes, isTuned } = tuneForeignSocket(platform, plan.steps, handle, () => false);
    listener.isTuned = isTuned;
    if (record.connections === 0) {
      record.accepted = [...outcomes, ...plan.skipped];
      debug('first socket of %s: %o', record.address, record.accepted);
      warnOfFailures(context, record.accepted);
    }
  }
  setHandleTuning(handle, listener);
  if (values.quickAck === 'on') armQuickAck(handle);
}

/** Tune a socket that another process has sent, ahead of Node's own code, which makes a net.Socket of it. */
export function tuneReceivedSocket(
  context: HookContext,
  listeners: RemoteListeners,
  message: HandleMessage,
  handle: SocketHandle,
): void {
  const name = listenerName(context.platform(), message, handle);
  if (name === undefined) return;
  const listener = listenerOf(context, listeners, name, handle);
  tuneRemote(listener, handle);
  listener.record.connections++;
  counters.connections++;
  noteConnection(handle, listener.record);
}
