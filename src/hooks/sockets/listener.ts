import { debug } from '../../diagnostics.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { boundPort, formatName } from '../../node/addresses.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import type { ListenHandle, NetServer } from '../../node/net.js';
import { isNodesOwn } from '../../node/own-source.js';
import { keepNagle, watchHandle } from '../../node/patch/net.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { applyAndConfirm } from '../../options/apply.js';
import { EMPTY_PLAN, type Plan, planOptions, type Step, stepsBeforeListen } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { listenerChannel } from '../../report/channels.js';
import { addListenerRecord, type ListenerRecord } from '../../report/listener-record.js';
import { patchBind, setBeforeBind } from '../before-bind.js';
import { allValues, type Hook, type HookContext, valuesAt } from '../context.js';
import { countForPrimary } from '../shared-port/accepted-count.js';
import { drainOnClose, endDrain } from '../shared-port/drain.js';
import { holdPort } from '../shared-port/own-ports.js';
import { portMembers } from '../shared-port/port-members.js';
import { maySharePort, ownListeners, sharesPorts, sharingOf, sharingOutcome } from '../shared-port/reuse-port.js';
import { steerOwn } from '../shared-port/steering.js';
import { warnOfFailures } from '../warn.js';
import { type AcceptedRequest, tuneAccepted } from './accepted-socket.js';
import { isTunedElsewhere, tuneGiven } from './foreign-socket.js';
import { serverChoice } from './server-choice.js';

type Listen = NetServer['_listen2'];

/** Methods that only these servers have; to ask by `instanceof` would load http, tls and http2 into every process. */
const CLIENT_SPEAKS_FIRST = ['closeIdleConnections', 'addContext', 'updateSettings'] as const;

/** http, https, tls and http2 servers wait for the client; any other may greet it first, as SMTP and databases do. */
function clientSpeaksFirst(server: NetServer): boolean {
  return CLIENT_SPEAKS_FIRST.some((method) => typeof Reflect.get(server, method) === 'function');
}

function isHttp(server: NetServer): boolean {
  return typeof Reflect.get(server, 'closeIdleConnections') === 'function';
}

/** On an http server Nagle is on only if it was asked for, then or later. */
function wantsNagle(server: NetServer): boolean {
  return serverChoice(server).noDelay === false || (isHttp(server) && server.noDelay === false);
}

/** What the app has switched off for the connections of a server. */
function switchedOff(server: NetServer): OptionValues {
  return {
    ...(wantsNagle(server) ? { noDelay: false } : {}),
    // Switched on later, it is on.
    ...(serverChoice(server).keepAlive === false && !server.keepAlive ? { keepAlive: false } : {}),
  };
}

/** Values without those that the app has decided about itself. */
function valuesFor(server: NetServer, values: OptionValues): OptionValues {
  const off = switchedOff(server);
  return Object.fromEntries(Object.entries(values).filter(([key]) => !(key in off)));
}

/**
 * What the connections of a server are to have.
 *
 * @param port that it is bound to; undefined for a path
 */
export function requestFor(server: NetServer, context: HookContext, port?: number): AcceptedRequest {
  const asked = valuesAt(context, port);
  return {
    asked,
    values: valuesFor(server, asked),
    clientSpeaksFirst: clientSpeaksFirst(server),
    exactBuffers: context.exactBuffers,
    isRewrittenByNode: server.keepAlive === true,
    undone: {},
  };
}

function addressOf(server: NetServer): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? '-';
  return formatName(address);
}

/** Servers of ours, which are nobody else's to tune or count. */
const exempt = hiddenSlot<object, true>();

/** Leave a server alone when it listens. */
export function exemptServer(server: object): void {
  exempt.set(server, true);
}

/** One listening handle, from bind to its first connection. */
interface ListenerTuning {
  readonly context: HookContext;
  readonly request: AcceptedRequest;
  readonly plan: Plan;
  readonly record: ListenerRecord;
  /** It was bound elsewhere. */
  readonly isGiven: boolean;
  /** Of its bind. */
  readonly flags: unknown;
}

function setSteps({ context, record }: ListenerTuning, handle: ListenHandle, steps: readonly Step[]): void {
  const platform = context.platform();
  for (const step of steps) record.outcomes.push(applyAndConfirm(platform, step, handle));
}

/**
 * What others share with us, or have set up for us, keeps what they have set, unless the user has named the option.
 *
 * @returns what the connections are to have
 */
function tuneForeign(
  tuning: ListenerTuning,
  server: NetServer,
  handle: ListenHandle,
  steps: readonly Step[],
): AcceptedRequest {
  const { context, request, record } = tuning;
  const isOurs = ({ row }: Step): boolean => row.key === 'raw' || context.asked.has(row.key);
  const platform = context.platform();
  const off = switchedOff(server);
  // Looked at first, as what we set shows too. Of a stand-in, it shows on the connections who has tuned the listener.
  const family = familyOf(handle);
  const isUndone =
    family === undefined ||
    (Object.keys(off).length > 0 &&
      isTunedElsewhere(
        platform,
        planOptions(platform, request.asked, { ...request, family, target: 'listener' }).steps,
        handle,
      ));
  const { outcomes } = tuneGiven(platform, steps, handle, isOurs);
  record.outcomes.push(...outcomes);
  return isUndone ? { ...request, undone: off } : request;
}

/**
 * `noDelay: false` where the app has not spoken: Node would switch it on for each connection of an http server. On any other, `noDelay: true`
 * is the app's word.
 */
export function leaveNagle(server: NetServer, { values }: AcceptedRequest): void {
  if (values.noDelay === false && server.noDelay && isHttp(server)) keepNagle(server);
}

/** Tune a handle that is bound and does not listen yet. */
function beforeListen(
  context: HookContext,
  server: NetServer,
  handle: ListenHandle,
  { isGiven, isForeign, flags }: Pick<ListenerTuning, 'isGiven' | 'flags'> & { readonly isForeign: boolean },
): ListenerTuning {
  const port = boundPort(handle);
  const request = requestFor(server, context, port);
  leaveNagle(server, request);
  const family = familyOf(handle);
  // A cluster worker's stand-in has no socket: its primary listens, and tunes the listener if it has the preload too.
  const plan =
    family === undefined
      ? EMPTY_PLAN
      : planOptions(context.platform(), request.values, { ...request, family, target: 'listener' });
  const record: ListenerRecord = { address: '-', outcomes: [], accepted: [], connections: 0 };
  const tuning = { context, request, plan, record, isGiven, flags };
  const shared = isGiven && port !== undefined ? sharingOutcome(context, handle, port) : undefined;
  if (shared !== undefined) record.outcomes.push(shared);
  const steps = stepsBeforeListen(plan);
  // One that shares its port was made by us, here or in the primary.
  if (isForeign && shared?.verdict !== 'applied')
    return { ...tuning, request: tuneForeign(tuning, server, handle, steps) };
  setSteps(tuning, handle, steps);
  return tuning;
}

function isShared({ record }: ListenerTuning): boolean {
  return record.outcomes.some(({ constant, verdict }) => constant === 'SO_REUSEPORT' && verdict === 'applied');
}

function afterSharing(tuning: ListenerTuning, server: NetServer, handle: ListenHandle): void {
  const { context, record, isGiven, flags } = tuning;
  const platform = context.platform();
  const port = boundPort(handle) ?? 0;
  const { all } = portMembers(platform, handle, port) ?? {};
  if (all !== undefined) record.group = { listeners: all.length };
  if (context.isListenedFor && isGiven) countForPrimary(record, handle);
  // The primary keeps those open that it has made, and steers.
  if (isGiven && ownListeners.get(handle) !== true) return;
  holdPort(handle, flags);
  drainOnClose(platform, server, handle);
  const steered = sharingOf(context, port) === 'cpu' ? steerOwn(platform, handle, all?.length) : undefined;
  if (steered !== undefined) record.outcomes.push(steered);
}

function afterListen(tuning: ListenerTuning, server: NetServer, handle: ListenHandle): void {
  const { context, plan, record } = tuning;
  setSteps(
    tuning,
    handle,
    plan.steps.filter((step) => step.constant.afterListen),
  );
  record.outcomes.push(...plan.skipped);
  if (isShared(tuning)) afterSharing(tuning, server, handle);
  if (familyOf(handle) !== undefined) record.address = addressOf(server);
  addListenerRecord(record);
  listenerChannel.publish(record);
  debug('listener %s: %o', record.address, record.outcomes);
  warnOfFailures(context, record.outcomes);
  tuneAccepted(context, tuning.request, server, handle, record);
}

/** What is to be set before the server is bound to the port in the arguments of its `_listen2`. */
function earlySteps(context: HookContext, server: NetServer, place: readonly unknown[]): readonly Step[] {
  if (!hasEarlySteps(context)) return [];
  const [, port] = place;
  const request = requestFor(server, context, typeof port === 'number' ? port : undefined);
  const kind = { ...request, family: 'tcp', target: 'listener' } as const;
  return planOptions(context.platform(), request.values, kind).steps.filter(
    ({ row }) => row.phase === 'before-bind' && (row.key !== 'reusePort' || maySharePort(server, place)),
  );
}

function hasEarlySteps(context: HookContext): boolean {
  const hasRaw = allValues(context).some(({ raw }) => raw?.some(({ phase }) => phase === 'before-bind'));
  return hasRaw || sharesPorts(context);
}

/** Whether the arguments of `_listen2` name a descriptor, which somebody else has opened (systemd, a parent process). */
function isDescriptor([, , , , fd]: readonly unknown[]): boolean {
  return typeof fd === 'number' && fd >= 0;
}

function makeListen(context: HookContext, state: { isUndone: boolean }, original: Listen): Listen {
  return function (this: NetServer, ...args) {
    if (state.isUndone || exempt.get(this)) return original.apply(this, args);
    endDrain(this);
    let tuning: ListenerTuning | undefined;
    const isGiven = Boolean(this._handle);
    const how = { isGiven, isForeign: isGiven || isDescriptor(args), flags: args[5] };
    const tune = (handle: ListenHandle): void => {
      tuning = beforeListen(context, this, handle, how);
    };
    // Given by the app, inherited, or come from the cluster's primary: it is there and bound. Else Node is about to make it.
    if (this._handle) tune(this._handle);
    const early = earlySteps(context, this, args);
    const { result, outcomes } = setBeforeBind(context, early, () =>
      watchHandle(this, tune, () => original.apply(this, args)),
    );
    tuning?.record.outcomes.unshift(...outcomes);
    // Listening failed: Node has closed the handle and emits 'error'.
    if (tuning !== undefined && this._handle) afterListen(tuning, this, this._handle);
    return result;
  };
}

/** Tune a server that listens already, on a handle that was given to it. */
export function tuneListening(context: HookContext, server: NetServer, handle: ListenHandle): void {
  afterListen(
    beforeListen(context, server, handle, { isGiven: true, isForeign: true, flags: undefined }),
    server,
    handle,
  );
}

function install(context: HookContext): Undo | undefined {
  const { prototype } = net().Server;
  if (!isNodesOwn(Reflect.get(prototype, '_listen2'), 'Server._listen2')) return undefined;
  const state = { isUndone: false };
  const undo = replaceMethod<Listen>(prototype, '_listen2', (original) => makeListen(context, state, original));
  const unpatch = hasEarlySteps(context) ? patchBind() : undefined;
  return () => {
    state.isUndone = true;
    undo();
    unpatch?.();
  };
}

/** Every listener, of whatever server class: all of them come through net.Server's `_listen2`. */
export const listenerHook: Hook = { name: 'listener', install };
