import { debug } from '../diagnostics.js';
import { fdOf } from '../native/handle-fd.js';
import {
  type Connect,
  type ConnectingHandle,
  type ConnectRequest,
  connectingPrototype,
  type NetSocket,
  net,
  ownerOf,
  type SocketHandle,
} from '../node-internals.js';
import { applyAndConfirm, applyStep } from '../options/apply.js';
import type { OptionOutcome } from '../options/outcome.js';
import { type Plan, planOptions, type Step } from '../options/plan.js';
import type { OptionValues } from '../options/table.js';
import { outgoingRecord } from '../report/socket-record.js';
import { refusedByApp } from './app-choice.js';
import { giveSocket } from './early-socket.js';
import type { Hook, HookContext } from './hook.js';
import { afterCompletion, replaceMethod, type Undo } from './patch.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning, type Tuning } from './tuning.js';
import { warnOfFailures } from './warn.js';

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

/** The steps that the app has not spoken against. */
function wantedSteps(handle: SocketHandle, steps: readonly Step[]): readonly Step[] {
  const socket = ownerOf(handle);
  const refused: ReadonlySet<string> | undefined = socket instanceof net().Socket ? refusedByApp(socket) : undefined;
  if (refused === undefined || refused.size === 0) return steps;
  return steps.filter(({ row }) => !refused.has(row.key) && !refused.has(row.requires ?? ''));
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

function restore({ platform, restored }: Outgoing, handle: SocketHandle): void {
  if (fdOf(handle) < 0) return;
  for (const step of restored) applyStep(platform, step, handle);
}

function makeConnect(outgoing: Outgoing, state: State, isIPv6: boolean, original: Connect): Connect {
  return function (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) {
    if (state.isUndone) return original.call(this, request, ...rest);
    const isTuned = outgoing.isEarly && giveSocket(outgoing.platform, this, isIPv6);
    if (isTuned) tune(outgoing, this);
    const error = original.call(this, request, ...rest);
    if (error !== 0) return error;
    if (!isTuned) tune(outgoing, this);
    if (outgoing.restored.length > 0) afterCompletion(request, () => restore(outgoing, this));
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

function install(context: HookContext): Undo | undefined {
  const { outgoing: values } = context;
  if (values === undefined) return undefined;
  const state: State = { isUndone: false };
  const undos: Undo[] = [];
  let isPatched = false;
  const patch = (socket: NetSocket): void => {
    const handle = socket._handle;
    if (handle === null || state.isUndone) return;
    const prototype = connectingPrototype(handle._parent ?? handle);
    if (prototype === undefined) return;
    isPatched = true;
    undos.push(patchHandles(makeOutgoing(context, values), state, prototype));
  };
  type SocketConnect = NetSocket['connect'];
  undos.push(
    replaceMethod<SocketConnect>(
      net().Socket.prototype,
      'connect',
      (original) =>
        function (this: NetSocket, ...args) {
          const result = original.apply(this, args);
          // It has a handle now, which begins to connect on a later turn (lib/net.js `lookupAndConnect`).
          if (!isPatched) patch(this);
          return result;
        },
    ),
  );
  return () => {
    state.isUndone = true;
    for (const undo of undos.reverse()) undo();
  };
}

/** Every socket that is connected from here: http.Agent, fetch, database drivers, TLS or not. */
export const outgoingSocketHook: Hook = { name: 'outgoing-socket', install };
