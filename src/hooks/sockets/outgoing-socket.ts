import { debug } from '../../diagnostics.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { net } from '../../node/modules.js';
import {
  type Connect,
  type ConnectingHandle,
  type ConnectRequest,
  connectingPrototype,
  handleBelow,
  type NetSocket,
  ownerOf,
  type SocketHandle,
} from '../../node/net.js';
import { afterCompletion, watchSocketHandle } from '../../node/patch/net.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { applyAndConfirm, applyStep } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { type Plan, planOptions, type Step } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { outgoingRecord } from '../../report/socket-record.js';
import type { Hook, HookContext } from '../context.js';
import { createSocketFor } from '../create-socket.js';
import { warnOfFailures } from '../warn.js';
import { undecided } from './app-choice.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning, type Tuning } from './tuning.js';

/** What the outgoing sockets of this thread are given. */
interface Outgoing extends Tuning {
  readonly context: HookContext;
  readonly plan: Plan;
  /** Something has to be set before connect(2), for which there is no socket yet. */
  readonly isEarly: boolean;
  /** What the kernel has been seen to take; undefined before the first connection. */
  steps: readonly Step[] | undefined;
}

function makeOutgoing(context: HookContext, values: OptionValues): Outgoing {
  const platform = context.platform();
  const kind = {
    target: 'outgoing',
    family: 'tcp',
    clientSpeaksFirst: true,
    exactBuffers: context.exactBuffers,
  } as const;
  const plan = planOptions(platform, values, kind);
  return {
    context,
    platform,
    values,
    plan,
    isEarly: plan.steps.some((step) => step.row.phase === 'before-handshake'),
    restored: plan.steps.filter((step) => step.row.rewrittenByNode),
    steps: undefined,
  };
}

/**
 * The TLS socket whose handle is connecting: for a second address of a name, Node makes a handle below it that does not know whose
 * it is (lib/internal/tls/wrap.js `kReinitializeHandle`).
 */
let wrapOwner: unknown;

/** The steps that the app has not spoken against. */
function wantedSteps(handle: SocketHandle, steps: readonly Step[]): readonly Step[] {
  return undecided(ownerOf(handle) ?? wrapOwner, steps);
}

function learn(outgoing: Outgoing, handle: SocketHandle, steps: readonly Step[]): void {
  const outcomes: OptionOutcome[] = steps.map((step) => applyAndConfirm(outgoing.platform, step, handle));
  // What the kernel does not take from one socket, it does not take from the next, if that is of the same family.
  outgoing.steps = outgoing.plan.steps.filter((step) => {
    const outcome = outcomes[steps.indexOf(step)];
    return step.row.ipv6Only || outcome === undefined || ['applied', 'clamped', 'inert'].includes(outcome.verdict);
  });
  outgoingRecord.outcomes = [...outcomes, ...outgoing.plan.skipped];
  debug('first outgoing socket: %o', outgoingRecord.outcomes);
  warnOfFailures(outgoing.context, outgoingRecord.outcomes);
}

function tune(outgoing: Outgoing, handle: SocketHandle): void {
  if (outgoing.steps === undefined) learn(outgoing, handle, wantedSteps(handle, outgoing.plan.steps));
  else for (const step of wantedSteps(handle, outgoing.steps)) applyStep(outgoing.platform, step, handle);
  outgoingRecord.sockets++;
  setHandleTuning(handle, outgoing);
  if (outgoing.values.quickAck === 'on') armQuickAck(handle);
}

/** @param owner of the handle as it began to connect */
function restore({ platform, restored }: Outgoing, handle: SocketHandle, owner: unknown): void {
  if (fdOf(handle) < 0) return;
  for (const step of undecided(owner, restored)) applyStep(platform, step, handle);
}

function makeConnect(outgoing: Outgoing, state: State, isIPv6: boolean, original: Connect): Connect {
  return function (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) {
    if (state.isUndone) return original.call(this, request, ...rest);
    const isTuned = outgoing.isEarly && createSocketFor(outgoing.platform, this, isIPv6);
    if (isTuned) tune(outgoing, this);
    const error = original.call(this, request, ...rest);
    if (error !== 0) return error;
    if (!isTuned) tune(outgoing, this);
    const owner = ownerOf(this) ?? wrapOwner;
    if (outgoing.restored.length > 0) afterCompletion(request, () => restore(outgoing, this, owner));
    return error;
  };
}

interface State {
  isUndone: boolean;
}

/** Node's own class of TCP handles can be had from a socket only. */
function patchHandles(outgoing: Outgoing, state: State, prototype: ConnectingHandle): Undo {
  const undos = [
    replaceMethod<Connect>(prototype, 'connect', (original) => makeConnect(outgoing, state, false, original)),
    replaceMethod<Connect>(prototype, 'connect6', (original) => makeConnect(outgoing, state, true, original)),
  ];
  return () => {
    for (const undo of undos) undo();
  };
}

function makeWrapConnect(state: State, original: Connect): Connect {
  return function (this: ConnectingHandle, ...args) {
    if (state.isUndone) return original.apply(this, args);
    wrapOwner = ownerOf(this);
    try {
      return original.apply(this, args);
    } finally {
      wrapOwner = undefined;
    }
  };
}

/** TLSWrap, which passes the calls on to the handle below. */
function patchWraps(state: State, prototype: ConnectingHandle): Undo {
  const undos = (['connect', 'connect6'] as const).map((name) =>
    replaceMethod<Connect>(prototype, name, (original) => makeWrapConnect(state, original)),
  );
  return () => {
    for (const undo of undos) undo();
  };
}

function install(context: HookContext): Undo | undefined {
  const { outgoing: values } = context;
  if (values === undefined) return undefined;
  const state: State = { isUndone: false };
  const undos: Undo[] = [];
  const classes = { sockets: false, wraps: false };
  const patch = (handle: SocketHandle): void => {
    if (state.isUndone) return;
    const below = handleBelow(handle);
    const sockets = connectingPrototype(below ?? handle);
    const wraps = below === undefined ? undefined : connectingPrototype(handle);
    if (sockets !== undefined && !classes.sockets) {
      classes.sockets = true;
      undos.push(patchHandles(makeOutgoing(context, values), state, sockets));
    }
    if (wraps !== undefined && !classes.wraps) {
      classes.wraps = true;
      undos.push(patchWraps(state, wraps));
    }
  };
  type SocketConnect = NetSocket['connect'];
  const makeSocketConnect = (original: SocketConnect): SocketConnect =>
    function (this: NetSocket, ...args) {
      const handle = this._handle;
      if (handle != null) patch(handle);
      // It gets its handle now, and where the app's own `lookup` answers at once, begins to connect within this call.
      if (handle == null && !classes.sockets) return watchSocketHandle(this, patch, () => original.apply(this, args));
      return original.apply(this, args);
    };
  undos.push(replaceMethod<SocketConnect>(net().Socket.prototype, 'connect', makeSocketConnect));
  return () => {
    state.isUndone = true;
    for (const undo of undos.reverse()) undo();
  };
}

/** Every socket that is connected from here: http.Agent, fetch, database drivers, TLS or not. */
export const outgoingSocketHook: Hook = { name: 'outgoing-socket', install };
