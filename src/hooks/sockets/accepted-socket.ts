import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { familyOf, fdOf } from '../../native/sockets/handle-fd.js';
import { net } from '../../node/modules.js';
import { type ListenHandle, type NetServer, ownerOf, type SocketHandle } from '../../node/net.js';
import { aroundConnection } from '../../node/patch/net.js';
import { applyAndConfirm, applyStep, confirm, readOption } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { type Plan, planOptions, type SocketKind, type Step } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { connectionChannel, publishConnection } from '../../report/channels.js';
import { counters } from '../../report/counters.js';
import type { ListenerRecord } from '../../report/listener-record.js';
import { noteConnection } from '../../report/live-connections.js';
import type { HookContext } from '../context.js';
import { warnOfFailures } from '../warn.js';
import { undecided } from './app-choice.js';
import { isTunedElsewhere } from './foreign-socket.js';
import { armQuickAck } from './quick-ack.js';
import { setServerTuning } from './tuning.js';

/** What the accepted sockets of a listener are to have. */
export interface AcceptedRequest extends Omit<SocketKind, 'target' | 'family'> {
  /** What is asked for on its port. */
  readonly asked: OptionValues;
  /** The same without what the app has decided. */
  readonly values: OptionValues;
  /** The app's own `keepAlive: true`: Node rewrites some options on each connection, of which the app has not spoken. */
  readonly isRewrittenByNode: boolean;
  /** What the app has switched off, where the listener was tuned by a process that does not know. */
  readonly undone: OptionValues;
}

/** What the accepted sockets of one listener are given. */
interface AcceptedTuning {
  readonly context: HookContext;
  readonly platform: Platform;
  readonly plan: Plan;
  readonly request: AcceptedRequest;
  readonly record: ListenerRecord;
  /** Undefined until the first connection has shown what is inherited. */
  perConnection: readonly Step[] | undefined;
  /** What comes back after Node has rewritten it. */
  readonly restored: readonly Step[];
  rearmsQuickAck: boolean;
}

/** The value that a socket has from its listener; undefined if it has another, or none can be read. */
function inheritedValue(
  { platform, record }: AcceptedTuning,
  step: Step,
  client: SocketHandle,
): OptionOutcome['kernel'] {
  if (step.row.lasting === false || step.constant.acceptedOnly) return undefined;
  const kernel = readOption(platform, step, client);
  const listener = record.outcomes.find((outcome) => outcome.option === step.row.key)?.kernel;
  if (listener !== undefined) return kernel === listener ? kernel : undefined;
  // The listener is in another process (cluster): what was asked for is all there is to compare with.
  return confirm(platform, step, step.applied, client).verdict === 'applied' ? kernel : undefined;
}

/** What has to be done about one option on every accepted socket, learnt from the first. */
function learnStep(tuning: AcceptedTuning, step: Step, client: SocketHandle): OptionOutcome {
  const kernel = inheritedValue(tuning, step, client);
  if (kernel !== undefined) return { ...step.applied, verdict: 'inherited', kernel };
  return applyAndConfirm(tuning.platform, step, client);
}

/** Look at the first connection: what it has is inherited, and trusted from now on; the rest is set on each. */
function learn(tuning: AcceptedTuning, client: SocketHandle): void {
  const { request, record } = tuning;
  const { skipped } = tuning.plan;
  const steps = [...tuning.plan.steps, ...undoingSteps(tuning, client)];
  const outcomes = steps.map((step) => learnStep(tuning, step, client));
  tuning.rearmsQuickAck = request.values.quickAck === 'on' && steps.some((step) => step.row.lasting === false);
  // What the kernel does not take from one connection, it does not take from the next.
  tuning.perConnection = steps.filter((step, index) => {
    const verdict = outcomes[index]?.verdict;
    const isRearmed = step.row.lasting === false && tuning.rearmsQuickAck;
    return !isRearmed && (verdict === 'applied' || verdict === 'clamped');
  });
  record.accepted = [...outcomes, ...skipped];
  debug('first connection of %s: %o', record.address, record.accepted);
  warnOfFailures(tuning.context, record.accepted);
}

/**
 * A server whose app has switched something off accepts what was tuned by another process, which does not know: what that has switched on is
 * switched off again. Where somebody else has switched it on it stays so, as Node's own server leaves it.
 */
function undoingSteps({ platform, request }: AcceptedTuning, client: SocketHandle): readonly Step[] {
  if (Object.keys(request.undone).length === 0 || familyOf(client) !== 'tcp') return [];
  const kind = { ...request, target: 'accepted', family: 'tcp' } as const;
  const steps = planOptions(platform, request.undone, kind).steps.filter(
    (step) =>
      Reflect.get(request.asked, step.row.key) === true &&
      confirm(platform, step, step.applied, client).verdict !== 'applied',
  );
  if (steps.length === 0) return steps;
  return isTunedElsewhere(platform, planOptions(platform, request.asked, kind).steps, client) ? steps : [];
}

function onConnection(tuning: AcceptedTuning, client: SocketHandle): void {
  counters.connections++;
  tuning.record.connections++;
  noteConnection(client, tuning.record);
  if (tuning.perConnection === undefined) learn(tuning, client);
  else for (const step of tuning.perConnection) applyStep(tuning.platform, step, client);
  if (tuning.rearmsQuickAck) armQuickAck(client);
}

function restore({ platform, restored }: AcceptedTuning, client: SocketHandle): void {
  // The app may have closed it by now.
  if (restored.length === 0 || fdOf(client) < 0) return;
  for (const step of undecided(ownerOf(client), restored)) applyStep(platform, step, client);
}

function publish({ record }: AcceptedTuning, client: SocketHandle): void {
  const socket = ownerOf(client);
  if (socket instanceof net().Socket) publishConnection({ listener: record, socket });
}

/** Tune what a listener accepts. Where all is inherited, that takes no system call after the first connection. */
export function tuneAccepted(
  context: HookContext,
  request: AcceptedRequest,
  server: NetServer,
  handle: ListenHandle,
  record: ListenerRecord,
): void {
  const platform = context.platform();
  // A cluster worker's stand-in has an address if it stands for a TCP listener (lib/internal/cluster/child.js `rr`).
  const family = familyOf(handle) ?? (handle.getsockname === undefined ? 'unix' : 'tcp');
  const kind = { ...request, target: 'accepted', family } as const;
  const plan = planOptions(platform, request.values, kind);
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
  };
  aroundConnection(
    handle,
    (client) => onConnection(tuning, client),
    (client) => {
      restore(tuning, client);
      if (connectionChannel.hasSubscribers) publish(tuning, client);
    },
  );
}
