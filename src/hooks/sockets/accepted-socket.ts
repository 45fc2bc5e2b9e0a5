import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { familyOf, fdOf } from '../../native/sockets/handle-fd.js';
import { net } from '../../node/modules.js';
import { type ListenHandle, type NetServer, ownerOf, type SocketHandle } from '../../node/net.js';
import { aroundConnection } from '../../node/patch/net.js';
import { answered, applyAndConfirm, applyStep, confirm, readOption } from '../../options/apply.js';
import { endsInTime } from '../../options/dead-peer.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { type Plan, planOptions, type Step } from '../../options/plan.js';
import { connectionChannel, publishConnection } from '../../report/channels.js';
import { counters } from '../../report/counters.js';
import type { ListenerRecord } from '../../report/listener-record.js';
import { noteAccepted } from '../../report/live/accept-queues.js';
import { noteConnection } from '../../report/live/connections.js';
import { type HookContext, planToReport } from '../context.js';
import { isMultipath, negotiatedOutcome } from '../multipath.js';
import { PeerConnection } from '../peers/connection.js';
import { noteWatched } from '../peers/known-connections.js';
import { PeerWatch } from '../peers/peer-watch.js';
import { warnOfFailures } from '../warn.js';
import type { AcceptedRequest } from './accepted-request.js';
import { undecided } from './app-choice.js';
import { isTunedElsewhere } from './foreign-socket.js';
import { armQuickAck } from './quick-ack.js';
import { setServerTuning } from './tuning.js';

/** How the accepted sockets of one listener are tuned. */
interface AcceptedTuning {
  readonly context: HookContext;
  readonly platform: Platform;
  readonly plan: Plan;
  readonly request: AcceptedRequest;
  readonly record: ListenerRecord;
  /** The options that are not inherited; undefined before the first connection has shown them. */
  perConnection: readonly Step[] | undefined;
  /** Options to set again after Node has set them to its own values. */
  readonly restored: readonly Step[];
  rearmsQuickAck: boolean;
  /** The listener is MPTCP. */
  readonly isMultipath: boolean;
  /** Watches connections, where the kernel does not end those with dead peers in time. */
  watch: PeerWatch | undefined;
}

/** The value that a socket has inherited from its listener; undefined if it has another, or none can be read. */
function inheritedValue(
  { platform, record }: AcceptedTuning,
  step: Step,
  client: SocketHandle,
): OptionOutcome['kernel'] {
  if (step.row.lasting === false || step.constant.acceptedOnly) return undefined;
  const kernel = readOption(platform, step, client);
  const listener = record.outcomes.find((outcome) => outcome.option === step.row.key)?.kernel;
  if (listener !== undefined) return kernel === listener ? kernel : undefined;
  // The listener is in another process (cluster): its value is not known, only the one that was asked for.
  return confirm(platform, step, step.applied, client).verdict === 'applied' ? kernel : undefined;
}

/** One option of the first connection: inherited, or set now. */
function learnStep(tuning: AcceptedTuning, step: Step, client: SocketHandle): OptionOutcome {
  const kernel = inheritedValue(tuning, step, client);
  if (kernel !== undefined) return { ...answered(step, step.applied, kernel), verdict: 'inherited' };
  return applyAndConfirm(tuning.platform, step, client);
}

/** What watches the connections of a listener; undefined where the kernel ends them by itself. */
function watchFor(
  { platform, request }: AcceptedTuning,
  client: SocketHandle,
  outcomes: readonly OptionOutcome[],
): PeerWatch | undefined {
  const { deadPeer, retransmitTimeoutMax } = request.values;
  if (deadPeer === undefined || familyOf(client) !== 'tcp') return undefined;
  const isKernels = outcomes.some(
    ({ option, verdict }) => option === 'retransmitTimeoutMax' && (verdict === 'inherited' || verdict === 'applied'),
  );
  if (isKernels && endsInTime(deadPeer * 1000, retransmitTimeoutMax)) return undefined;
  return new PeerWatch(platform, { deadPeer: deadPeer * 1000, answer: undefined }, () => undefined);
}

/** Look at the first connection. Options that it has inherited are trusted from now on; the others are set on each. */
function learnFromFirst(tuning: AcceptedTuning, client: SocketHandle): void {
  const { request, record } = tuning;
  const { skipped } = tuning.plan;
  const steps = [...tuning.plan.steps, ...switchingOffSteps(tuning, client)];
  const outcomes = steps.map((step) => learnStep(tuning, step, client));
  tuning.rearmsQuickAck =
    request.values.quickAck === 'on' &&
    steps.some((step, index) => step.row.lasting === false && outcomes[index]?.verdict === 'applied');
  // What the kernel does not take from one connection, it does not take from the next.
  tuning.perConnection = steps.filter((step, index) => {
    const verdict = outcomes[index]?.verdict;
    const isRearmed = step.row.lasting === false && tuning.rearmsQuickAck;
    return !isRearmed && (verdict === 'applied' || verdict === 'clamped');
  });
  const negotiated = tuning.isMultipath ? [negotiatedOutcome(tuning.platform, client)] : [];
  const accepted = [...outcomes, ...negotiated, ...skipped];
  if (record.accepted.length === 0) record.accepted = accepted;
  tuning.watch = watchFor(tuning, client, outcomes);
  debug('first connection of %s: %o', record.address, accepted);
  warnOfFailures(tuning.context, accepted);
}

/**
 * Options that the app has switched off, and that the process of the listener has switched on without knowing. They are switched off
 * on each connection. Without socket-tune in that process they stay on, as in stock Node.
 */
function switchingOffSteps({ platform, request }: AcceptedTuning, client: SocketHandle): readonly Step[] {
  if (Object.keys(request.switchedOff).length === 0 || familyOf(client) !== 'tcp') return [];
  const kind = { ...request, target: 'accepted', family: 'tcp' } as const;
  const steps = planOptions(platform, request.switchedOff, kind).steps.filter(
    (step) =>
      Reflect.get(request.asked, step.row.key) === true &&
      confirm(platform, step, step.applied, client).verdict !== 'applied',
  );
  if (steps.length === 0) return steps;
  return isTunedElsewhere(platform, planOptions(platform, request.asked, kind).steps, client) ? steps : [];
}

function watchConnection(watch: PeerWatch, client: SocketHandle): void {
  const connection = new PeerConnection(client);
  noteWatched(connection);
  watch.add(connection);
}

function onConnection(tuning: AcceptedTuning, client: SocketHandle): void {
  counters.connections++;
  tuning.record.connections++;
  noteConnection(client, tuning.record);
  noteAccepted(tuning.record);
  if (tuning.perConnection === undefined) learnFromFirst(tuning, client);
  else for (const step of tuning.perConnection) applyStep(tuning.platform, step, client);
  if (tuning.watch !== undefined) watchConnection(tuning.watch, client);
  if (tuning.rearmsQuickAck) armQuickAck(client);
}

function restoreAccepted({ platform, restored }: AcceptedTuning, client: SocketHandle): void {
  // Closed by the app in the meantime.
  if (restored.length === 0 || fdOf(client) < 0) return;
  for (const step of undecided(ownerOf(client), restored)) applyStep(platform, step, client);
}

function publish({ record }: AcceptedTuning, client: SocketHandle): void {
  const socket = ownerOf(client);
  if (socket instanceof net().Socket) publishConnection({ listener: record, socket });
}

/** Tune the connections of a listener. If all options are inherited, connections after the first cost no system call. */
export function tuneAccepted(
  context: HookContext,
  request: AcceptedRequest,
  server: NetServer,
  handle: ListenHandle,
  record: ListenerRecord,
): void {
  const platform = context.platform();
  // The placeholder of a cluster's worker has an address if it stands for a TCP listener (lib/internal/cluster/child.js `rr`).
  const family = familyOf(handle) ?? (handle.getsockname === undefined ? 'unix' : 'tcp');
  const kind = { ...request, target: 'accepted', family } as const;
  const plan = planToReport(context, request.values, kind);
  const restored = plan.steps.filter((step) => step.row.rewrittenByNode);
  setServerTuning(server, { platform, values: request.values, restored });
  const tuning: AcceptedTuning = {
    context,
    platform,
    plan,
    request,
    record,
    perConnection: undefined,
    restored: request.isRewrittenByNode ? restored : [],
    rearmsQuickAck: false,
    isMultipath: family === 'tcp' && isMultipath(platform, handle),
    watch: undefined,
  };
  // A peer without MPTCP gets plain TCP, which has and inherits other options.
  const plain = tuning.isMultipath ? { ...tuning } : undefined;
  aroundConnection(
    handle,
    (client) => onConnection(plain === undefined || isMultipath(platform, client) ? tuning : plain, client),
    (client) => {
      restoreAccepted(tuning, client);
      if (connectionChannel.hasSubscribers) publish(tuning, client);
    },
  );
}
