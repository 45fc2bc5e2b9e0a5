import { debug } from '../../diagnostics.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { boundPort, formatName } from '../../node/addresses.js';
import type { ListenArguments, ListenHandle, NetServer } from '../../node/net.js';
import { watchHandle } from '../../node/patch/net.js';
import { replaceOwn } from '../../node/patch/own-methods.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import { applyAndConfirm, confirm } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import {
  EMPTY_PLAN,
  hasStepsBeforeBind,
  type Plan,
  planOptions,
  type Step,
  stepsBeforeListen,
} from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { listenerChannel } from '../../report/channels.js';
import { addListenerRecord, type ListenerRecord } from '../../report/listener-record.js';
import { noteListener } from '../../report/live/accept-queues.js';
import { patchBind, setBeforeBind, stepsBeforeBindOf } from '../before-bind.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import { isExempt } from '../exempt-server.js';
import { openPollPhase } from '../poll-phase.js';
import { countForPrimary } from '../shared-port/accepted-count.js';
import { drainOnClose, endDrain } from '../shared-port/drain.js';
import { addOwnPort, isOwnPort } from '../shared-port/own-ports.js';
import { portMembers } from '../shared-port/port-members.js';
import { maySharePort, sharingOf, sharingOutcome } from '../shared-port/reuse-port.js';
import { steerOwn } from '../shared-port/steering.js';
import { warnOfFailures } from '../warn.js';
import { type AcceptedRequest, leaveNagle, requestFor, switchedOffBy } from './accepted-request.js';
import { tuneAccepted } from './accepted-socket.js';
import { isTunedElsewhere, tuneForeignSocket } from './foreign-socket.js';

// The life of a listener, from top to bottom: before bind(2), bound, listening. `makeListen` puts it together.

type Listen = NetServer['_listen2'];

/** Where the socket of a listener comes from. */
type Origin =
  /** Node makes and binds it, in this call of `_listen2`. */
  | 'node'
  /** A descriptor that somebody else has bound: systemd, or a parent process. */
  | 'descriptor'
  /** A handle that is bound already: the app's, received from another process, or from the cluster's primary. */
  | 'handle';

function originOf(server: NetServer, [, , , , fd]: ListenArguments): Origin {
  if (server._handle) return 'handle';
  return typeof fd === 'number' && fd >= 0 ? 'descriptor' : 'node';
}

/** How one listener is tuned, from bind(2) to its first connection. */
interface ListenerTuning {
  readonly context: HookContext;
  readonly request: AcceptedRequest;
  readonly plan: Plan;
  readonly record: ListenerRecord;
  readonly origin: Origin;
  /** Of bind(2), as Node takes them. */
  readonly flags: unknown;
}

function bindsEarly(context: HookContext): boolean {
  return allValues(context).some((values) => hasStepsBeforeBind(values, 'listener'));
}

/** The options to set on a server that is about to bind. */
function earlySteps(context: HookContext, server: NetServer, args: ListenArguments): readonly Step[] {
  const isPlaceholder = server._handle !== null && familyOf(server._handle) === undefined;
  if (isPlaceholder || !bindsEarly(context)) return [];
  const [, port] = args;
  const isPath = typeof port === 'number' && port < 0;
  const steps = stepsBeforeBindOf(context, typeof port === 'number' ? port : undefined, isPath ? 'unix' : 'tcp');
  return steps.filter(({ row }) => row.key !== 'reusePort' || maySharePort(server, args));
}

/** Bound by somebody else, who may have set these options. */
function inheritedOutcomes(
  { context, origin }: ListenerTuning,
  steps: readonly Step[],
  handle: ListenHandle,
  outcomes: readonly OptionOutcome[],
): readonly OptionOutcome[] {
  if (origin === 'node') return outcomes;
  return outcomes.map((outcome, index) => {
    const step = steps[index];
    const found = step && confirm(context.platform(), step, step.applied, handle);
    return found?.verdict === 'applied' && found.kernel !== undefined ? { ...found, verdict: 'inherited' } : outcome;
  });
}

function listenerPlan(
  context: HookContext,
  request: AcceptedRequest,
  values: OptionValues,
  handle: ListenHandle,
): Plan {
  const family = familyOf(handle);
  // The placeholder of a cluster's worker has no socket: the primary listens, and tunes the listener if it has the preload.
  if (family === undefined) return EMPTY_PLAN;
  return planOptions(context.platform(), values, { ...request, family, target: 'listener' });
}

function setSteps({ context, record }: ListenerTuning, handle: ListenHandle, steps: readonly Step[]): void {
  const platform = context.platform();
  for (const step of steps) record.outcomes.push(applyAndConfirm(platform, step, handle));
}

/** The options that the app has switched off, if another process has tuned the listener and so has switched them on. */
function switchedOffAgain(
  context: HookContext,
  request: AcceptedRequest,
  server: NetServer,
  handle: ListenHandle,
): OptionValues {
  const off = switchedOffBy(server);
  // A placeholder has no socket to ask: the first connection will show it.
  if (familyOf(handle) === undefined || Object.keys(off).length === 0) return off;
  const { steps } = listenerPlan(context, request, request.asked, handle);
  return isTunedElsewhere(context.platform(), steps, handle) ? off : {};
}

/** Bound, by somebody else: the values that others have set stay, unless the user has named the option. */
function tuneForeignListener(
  tuning: ListenerTuning,
  server: NetServer,
  handle: ListenHandle,
  steps: readonly Step[],
): ListenerTuning {
  const { context, request, record } = tuning;
  const isOurs = ({ row }: Step): boolean => row.key === 'raw' || context.asked.has(row.key);
  // Read before the first option is set: what we set would show as tuning.
  const switchedOff = switchedOffAgain(context, request, server, handle);
  record.outcomes.push(...tuneForeignSocket(context.platform(), steps, handle, isOurs).outcomes);
  return { ...tuning, request: { ...request, switchedOff } };
}

/** Bound: tune a handle that does not listen yet. */
function tuneBound(
  context: HookContext,
  server: NetServer,
  handle: ListenHandle,
  { origin, flags }: Pick<ListenerTuning, 'origin' | 'flags'>,
): ListenerTuning {
  const port = boundPort(handle);
  const request = requestFor(server, context, port);
  leaveNagle(server, request);
  const plan = listenerPlan(context, request, request.values, handle);
  const record: ListenerRecord = { address: '-', outcomes: [], accepted: [], connections: 0 };
  const tuning: ListenerTuning = { context, request, plan, record, origin, flags };
  const shared = origin === 'handle' && port !== undefined ? sharingOutcome(context, handle, port) : undefined;
  if (shared !== undefined) record.outcomes.push(shared);
  const steps = stepsBeforeListen(plan);
  // A listener that shares its port was made by socket-tune, here or in the primary.
  const isForeign = origin !== 'node' && shared?.verdict !== 'applied';
  if (isForeign) return tuneForeignListener(tuning, server, handle, steps);
  setSteps(tuning, handle, steps);
  return tuning;
}

function isShared({ record }: ListenerTuning): boolean {
  return record.outcomes.some(({ constant, verdict }) => constant === 'SO_REUSEPORT' && verdict === 'applied');
}

/** Listening, on a port that others share: count, drain and steer. */
function joinPort({ context, record, origin, flags }: ListenerTuning, server: NetServer, handle: ListenHandle): void {
  const platform = context.platform();
  const port = boundPort(handle) ?? 0;
  const members = portMembers(platform, handle, port);
  if (members !== undefined) record.group = { listeners: members.length };
  if (context.isListenedFor && origin === 'handle') countForPrimary(record, handle);
  // The primary keeps the listeners open that it has made, and steers them.
  if (origin === 'handle' && !isOwnPort(handle)) return;
  addOwnPort(handle, flags);
  drainOnClose(platform, server, handle, context.drain !== undefined);
  const steered = sharingOf(context, port) === 'cpu' ? steerOwn(platform, handle, members?.length) : undefined;
  if (steered !== undefined) record.outcomes.push(steered);
}

function addressOf(server: NetServer): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '-';
  return formatName(address);
}

/** Listening: set the last options, report the listener, and tune its connections from now on. */
function tuneListener(tuning: ListenerTuning, server: NetServer, handle: ListenHandle): void {
  openPollPhase();
  const { context, request, plan, record } = tuning;
  const steps = plan.steps.filter((step) => step.constant.afterListen);
  setSteps(tuning, handle, steps);
  record.outcomes.push(...plan.skipped);
  if (isShared(tuning)) joinPort(tuning, server, handle);
  if (familyOf(handle) !== undefined) record.address = addressOf(server);
  addListenerRecord(record);
  noteListener(context.platform(), handle, record);
  listenerChannel.publish(record);
  debug('listener %s: %o', record.address, record.outcomes);
  warnOfFailures(context, record.outcomes);
  tuneAccepted(context, request, server, handle, record);
}

function makeListen(context: HookContext, original: Listen): Listen {
  return function (this: NetServer, ...args) {
    if (isExempt(this)) return original.apply(this, args);
    endDrain(this);
    const [, , , , , flags] = args;
    const origin = originOf(this, args);
    let tuning: ListenerTuning | undefined;
    const onBound = (handle: ListenHandle): void => {
      tuning = tuneBound(context, this, handle, { origin, flags });
    };
    if (this._handle) onBound(this._handle);
    const early = earlySteps(context, this, args);
    const { result, outcomes } = setBeforeBind(context, early, () =>
      watchHandle(this, onBound, () => original.apply(this, args)),
    );
    // Without a handle, listen(2) has failed: Node has closed the handle and emits 'error'.
    if (tuning === undefined || !this._handle) return result;
    tuning.record.outcomes.unshift(...inheritedOutcomes(tuning, early, this._handle, outcomes));
    tuneListener(tuning, this, this._handle);
    return result;
  };
}

/** Tune a server that listens already, on a handle that it has received. */
export function tuneListening(context: HookContext, server: NetServer, handle: ListenHandle): void {
  const tuning = tuneBound(context, server, handle, { origin: 'handle', flags: undefined });
  tuneListener(tuning, server, handle);
}

function install(context: HookContext): Undo | undefined {
  const undoListen = replaceOwn('Server._listen2', (original) => makeListen(context, original));
  if (undoListen === undefined) return undefined;
  const undoBind = bindsEarly(context) ? patchBind() : undefined;
  return undoBind === undefined ? undoListen : undoAll([undoListen, undoBind]);
}

/** Every listener, of whatever server class: all of them come through net.Server's `_listen2`. */
export const listenerHook: Hook = { name: 'listener', install };
