import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { boundAddress, hasPeer } from '../../node/addresses.js';
import type { HandleMessage } from '../../node/cluster.js';
import type { SocketHandle } from '../../node/net.js';
import { type Plan, planOptions, type Step } from '../../options/plan.js';
import { counters } from '../../report/counters.js';
import { addListenerRecord, type ListenerRecord } from '../../report/listener-record.js';
import { noteConnection } from '../../report/live-connections.js';
import { type HookContext, valuesAt } from '../context.js';
import { warnOfFailures } from '../warn.js';
import { tuneGiven } from './foreign-socket.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning, type Tuning } from './tuning.js';

/** Sockets that come from one listener elsewhere, as far as that can be known. */
interface Source extends Tuning {
  readonly context: HookContext;
  readonly plan: Plan;
  readonly record: ListenerRecord;
  /** The first has shown that its listener is tuned: so are the rest, and are not looked at. */
  isTuned: boolean;
}

/** A parent that opens listeners without end must not have its child remember them without end. */
const MOST_SOURCES = 256;

/** What has come by one channel of IPC, by the other process's name for the listener and by its address. */
export type Sources = Map<string, Source>;

function makeSource(context: HookContext, address: string, port: number | undefined): Source {
  const platform = context.platform();
  const values = valuesAt(context, port);
  const { exactBuffers } = context;
  const kind = { target: 'accepted', family: 'tcp', clientSpeaksFirst: false, exactBuffers } as const;
  const plan = planOptions(platform, values, kind);
  const restored: readonly Step[] = plan.steps.filter((step) => step.row.rewrittenByNode);
  const record: ListenerRecord = { address: `${address} (elsewhere)`, outcomes: [], accepted: [], connections: 0 };
  return { context, platform, values, plan, restored, record, isTuned: false };
}

function sourceOf(context: HookContext, sources: Sources, name: string, handle: SocketHandle): Source {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const { address, port } = boundAddress(handle);
  // Some come without the name of their listener, such as those that came before we did.
  const sameAddress = sources.get(address);
  const source = sameAddress ?? makeSource(context, address, port);
  if (sources.size < MOST_SOURCES) sources.set(name, source).set(address, source);
  if (sameAddress === undefined) addListenerRecord(source.record);
  return source;
}

const flag = new Int32Array(1);

/**
 * Whether a socket of which nothing is known is a connection that a listener has accepted. Servers set SO_REUSEADDR before they
 * listen, and what they accept has it from there; what was connected has it only if it was bound to a port of its own before.
 */
function isAccepted(platform: Platform, handle: SocketHandle): boolean {
  const { SO_REUSEADDR: constant } = platform.constants;
  return hasPeer(handle) && constant !== undefined && platform.get(handle, constant, flag) === 0 && flag[0] === 1;
}

/**
 * The listener that a socket comes from, by the name that the other process has for it, or else by its address; undefined if it
 * comes from none, or is no socket.
 */
function nameOf(platform: Platform, { type, key, msg }: HandleMessage, handle: SocketHandle): string | undefined {
  // What a cluster sends goes to a listener of its own.
  const isNodes = typeof msg === 'object' && msg !== null && /^NODE_/.test(String(Reflect.get(msg, 'cmd')));
  if (familyOf(handle) !== 'tcp' || isNodes) return undefined;
  if (type === 'net.Socket' && typeof key === 'string') return key;
  if (type !== 'net.Socket' && type !== 'net.Native') return undefined;
  return isAccepted(platform, handle) ? boundAddress(handle).address : undefined;
}

function tune(source: Source, handle: SocketHandle): void {
  const { context, platform, plan, record, values } = source;
  if (!source.isTuned) {
    const { outcomes, isTuned } = tuneGiven(platform, plan.steps, handle, () => false);
    source.isTuned = isTuned;
    if (record.connections === 0) {
      record.accepted = [...outcomes, ...plan.skipped];
      debug('first socket of %s: %o', record.address, record.accepted);
      warnOfFailures(context, record.accepted);
    }
  }
  setHandleTuning(handle, source);
  if (values.quickAck === 'on') armQuickAck(handle);
}

/** Tune a socket that another process has sent, and that Node is about to receive. */
export function tuneArriving(
  context: HookContext,
  sources: Sources,
  message: HandleMessage,
  handle: SocketHandle,
): void {
  const name = nameOf(context.platform(), message, handle);
  if (name === undefined) return;
  const source = sourceOf(context, sources, name, handle);
  tune(source, handle);
  source.record.connections++;
  counters.connections++;
  noteConnection(handle, source.record);
}
