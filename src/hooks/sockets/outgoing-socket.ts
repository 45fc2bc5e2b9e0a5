import { debug } from '../../diagnostics.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { now } from '../../node/clock.js';
import { net } from '../../node/modules.js';
import {
  asNetSocket,
  type Connect,
  type ConnectingHandle,
  type ConnectRequest,
  connectingPrototype,
  handleBelow,
  type NetSocket,
  ownerOf,
  type SocketHandle,
} from '../../node/net.js';
import { afterCompletion, beforeClose, watchSocketHandle } from '../../node/patch/net.js';
import { replaceMethod, type Undo, undoAll } from '../../node/patch/replace.js';
import { applyAndConfirm, applyStep } from '../../options/apply.js';
import type { OptionOutcome } from '../../options/outcome.js';
import { type Plan, planOptions, type Step } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { destinationOf } from '../../report/destination-record.js';
import { noteOutgoing } from '../../report/live/outgoing.js';
import { outgoingRecord } from '../../report/socket-record.js';
import type { Hook, HookContext } from '../context.js';
import { createSocketFor } from '../create-socket.js';
import { warnOfFailures } from '../warn.js';
import { undecided } from './app-choice.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning, type Tuning } from './tuning.js';

/** How outgoing sockets are tuned, all alike. */
interface OutgoingTuning extends Tuning {
  readonly context: HookContext;
  readonly plan: Plan;
  /** There is an option to set before connect(2), when Node has no socket yet. */
  readonly isEarly: boolean;
  /** The steps that the kernel takes; undefined before the first connection has shown them. */
  steps: readonly Step[] | undefined;
}

function makeTuning(context: HookContext, values: OptionValues): OutgoingTuning {
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
 * The TLS socket whose handle is connecting. For the second address of a name, Node makes a TCP handle that does not know its owner
 * (lib/internal/tls/wrap.js `kReinitializeHandle`).
 */
let connectingOwner: unknown;

function ownerOfConnecting(handle: SocketHandle): unknown {
  return ownerOf(handle) ?? connectingOwner;
}

/** Set all options on the first socket, and keep those that the kernel takes for the next ones. */
function learnOutgoing(tuning: OutgoingTuning, handle: SocketHandle, steps: readonly Step[]): void {
  const outcomes: OptionOutcome[] = steps.map((step) => applyAndConfirm(tuning.platform, step, handle));
  // The kernel may take an option of IPv6 sockets from the next one.
  tuning.steps = tuning.plan.steps.filter((step) => {
    const outcome = outcomes[steps.indexOf(step)];
    return step.row.ipv6Only || outcome === undefined || ['applied', 'clamped', 'inert'].includes(outcome.verdict);
  });
  outgoingRecord.outcomes = [...outcomes, ...tuning.plan.skipped];
  debug('first outgoing socket: %o', outgoingRecord.outcomes);
  warnOfFailures(tuning.context, outgoingRecord.outcomes);
}

function tuneOutgoing(tuning: OutgoingTuning, handle: SocketHandle): void {
  const steps = undecided(ownerOfConnecting(handle), tuning.steps ?? tuning.plan.steps);
  if (tuning.steps === undefined) learnOutgoing(tuning, handle, steps);
  else for (const step of steps) applyStep(tuning.platform, step, handle);
  outgoingRecord.sockets++;
  setHandleTuning(handle, tuning);
  if (tuning.values.quickAck === 'on') armQuickAck(handle);
}

/** @param owner of the handle as it began to connect */
function restoreOutgoing({ platform, restored }: OutgoingTuning, handle: SocketHandle, owner: unknown): void {
  if (fdOf(handle) < 0) return;
  for (const step of undecided(owner, restored)) applyStep(platform, step, handle);
}

function hostOf(owner: unknown, { address = '' }: ConnectRequest): string {
  const host = owner instanceof net().Socket ? asNetSocket(owner)._host : undefined;
  return typeof host === 'string' ? host : address;
}

/** Count an attempt to connect, and the connection that comes of it. */
function countAttempt(handle: ConnectingHandle, request: ConnectRequest, owner: unknown): void {
  const began = now();
  const destination = destinationOf(hostOf(owner, request), request.port ?? 0);
  afterCompletion(request, () => {
    destination.opened++;
    destination.connectTime += Math.max(0, now() - began);
    if (fdOf(handle) < 0) return;
    destination.open++;
    beforeClose(handle, (close) => {
      destination.open--;
      close();
    });
    noteOutgoing(handle, destination);
  });
}

function makeConnect(tuning: OutgoingTuning, isIPv6: boolean, original: Connect): Connect {
  return function (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) {
    const isTuned = tuning.isEarly && createSocketFor(tuning.platform, this, isIPv6);
    if (isTuned) tuneOutgoing(tuning, this);
    const error = original.call(this, request, ...rest);
    if (error !== 0) return error;
    if (!isTuned) tuneOutgoing(tuning, this);
    const owner = ownerOfConnecting(this);
    countAttempt(this, request, owner);
    if (tuning.restored.length > 0) afterCompletion(request, () => restoreOutgoing(tuning, this, owner));
    return error;
  };
}

function patchHandles(tuning: OutgoingTuning, prototype: ConnectingHandle): Undo {
  return undoAll([
    replaceMethod<Connect>(prototype, 'connect', (original) => makeConnect(tuning, false, original)),
    replaceMethod<Connect>(prototype, 'connect6', (original) => makeConnect(tuning, true, original)),
  ]);
}

function makeWrapConnect(original: Connect): Connect {
  return function (this: ConnectingHandle, ...args) {
    const outer = connectingOwner;
    connectingOwner = ownerOf(this);
    try {
      return original.apply(this, args);
    } finally {
      connectingOwner = outer;
    }
  };
}

/** TLSWrap, which passes the calls on to the handle below. */
function patchWraps(prototype: ConnectingHandle): Undo {
  return undoAll([
    replaceMethod<Connect>(prototype, 'connect', makeWrapConnect),
    replaceMethod<Connect>(prototype, 'connect6', makeWrapConnect),
  ]);
}

/** Node's classes of handles. A socket's handle is the only way to them, so each is patched when the first one connects. */
class HandleClasses {
  readonly #context: HookContext;
  readonly #values: OptionValues;
  #undoHandles: Undo | undefined;
  #undoWraps: Undo | undefined;
  #isClosed = false;

  constructor(context: HookContext, values: OptionValues) {
    this.#context = context;
    this.#values = values;
  }

  get hasHandles(): boolean {
    return this.#undoHandles !== undefined;
  }

  patch(handle: SocketHandle): void {
    // Of a connect() that began before the undo.
    if (this.#isClosed) return;
    const below = handleBelow(handle);
    const sockets = connectingPrototype(below ?? handle);
    const wraps = below === undefined ? undefined : connectingPrototype(handle);
    if (sockets !== undefined) this.#undoHandles ??= patchHandles(makeTuning(this.#context, this.#values), sockets);
    if (wraps !== undefined) this.#undoWraps ??= patchWraps(wraps);
  }

  undo(): void {
    this.#isClosed = true;
    this.#undoWraps?.();
    this.#undoHandles?.();
  }
}

type SocketConnect = NetSocket['connect'];

function makeSocketConnect(classes: HandleClasses, original: SocketConnect): SocketConnect {
  const patch = (handle: SocketHandle): void => classes.patch(handle);
  return function (this: NetSocket, ...args) {
    const handle = this._handle;
    if (handle != null) classes.patch(handle);
    // Node gives the socket its handle within this call. With a `lookup` that answers at once, it connects in this call too.
    else if (!classes.hasHandles) return watchSocketHandle(this, patch, () => original.apply(this, args));
    return original.apply(this, args);
  };
}

function install(context: HookContext): Undo | undefined {
  const { outgoing: values } = context;
  if (values === undefined) return undefined;
  const classes = new HandleClasses(context, values);
  const undoConnect = replaceMethod<SocketConnect>(net().Socket.prototype, 'connect', (original) =>
    makeSocketConnect(classes, original),
  );
  return undoAll([undoConnect, () => classes.undo()]);
}

/** Every socket that this process connects: http.Agent, fetch, database drivers, TLS or not. */
export const outgoingSocketHook: Hook = { name: 'outgoing-socket', install };
