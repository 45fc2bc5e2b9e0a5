import { fdOf } from '../../native/sockets/handle-fd.js';
import { hasPeer } from '../../node/addresses.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import {
  type Bind,
  type Connect,
  type ConnectingHandle,
  type ConnectRequest,
  connectingPrototype,
  handleBelow,
  type NetSocket,
  type OnComplete,
  ownerOf,
  portOfConnect,
  type SocketHandle,
  tcpPrototype,
} from '../../node/net.js';
import { atCompletion, watchSocketHandle } from '../../node/patch/net.js';
import { replaceMethod, type Undo, undoAll } from '../../node/patch/replace.js';
import { hasStepsBeforeBind } from '../../options/plan.js';
import type { OptionValues } from '../../options/table.js';
import { destinationOf } from '../../report/destination-record.js';
import { noteOutgoing } from '../../report/live/outgoing.js';
import { outgoingRecord } from '../../report/socket-record.js';
import type { Hook, HookContext } from '../context.js';
import { createSocketFor } from '../create-socket.js';
import { endConnection, type Opening, type PeerConnection } from '../peers/connection.js';
import { noteAttempt } from '../peers/known-connections.js';
import { OutgoingGuard } from './outgoing-guard.js';
import { OutgoingTuning } from './outgoing-tuning.js';
import { armQuickAck } from './quick-ack.js';
import { setHandleTuning } from './tuning.js';

/**
 * The TLS socket whose handle is connecting. For the second address of a name, Node makes a TCP handle that does not know its owner
 * (lib/internal/tls/wrap.js `kReinitializeHandle`).
 */
let connectingOwner: unknown;

function ownerOfConnecting(handle: SocketHandle): unknown {
  return ownerOf(handle) ?? connectingOwner;
}

/** Sockets of an app that connect again. The name that Node has for them may be that of an earlier connection. */
const connectsAgain = hiddenSlot<object, true>();

/** The host of a destination: as the app named it, else the address. */
function hostOf(owner: unknown, request: ConnectRequest): string {
  const { address = '' } = request;
  if (typeof owner !== 'object' || owner === null) return address;
  const name: unknown = Reflect.get(owner, '_host');
  return typeof name === 'string' && !connectsAgain.get(owner) ? name : address;
}

/** Handles whose options were set before bind(2). */
const boundEarly = hiddenSlot<SocketHandle, true>();

/** The port that a socket is to connect to, where that matters for bind(2): Node binds a local address before it gives the handle that port. */
const destinationPort = hiddenSlot<object, number>();

/** All outgoing sockets to one port, or to all others. */
class Scope implements Opening {
  readonly #context: HookContext;
  readonly #values: OptionValues;
  readonly #isGuarded: boolean;
  #tuning: OutgoingTuning | undefined;
  #guard: OutgoingGuard | undefined;

  constructor(context: HookContext, values: OptionValues) {
    this.#context = context;
    this.#values = values;
    this.#isGuarded = context.guardsOnly && Object.keys(values).length > 0;
  }

  /** Loads koffi. */
  get tuning(): OutgoingTuning {
    this.#tuning ??= new OutgoingTuning(this.#context, this.#values);
    return this.#tuning;
  }

  /** Before bind(2) to a local address. */
  tuneBeforeBind(handle: ConnectingHandle, isIPv6: boolean, owner: unknown): void {
    const { tuning } = this;
    if (!createSocketFor(tuning.platform, handle, isIPv6, tuning.plan.steps)) return;
    tuning.setBeforeBind(handle, owner);
    boundEarly.set(handle, true);
  }

  /** Before connect(2), where there is an option that must be set then. */
  tuneEarly(handle: ConnectingHandle, isIPv6: boolean): boolean {
    if (this.#context.guardsOnly || !this.tuning.isEarly) return false;
    if (!createSocketFor(this.tuning.platform, handle, isIPv6, this.tuning.plan.steps)) return false;
    this.tune(handle);
    return true;
  }

  /** connect(2) has begun. */
  tune(handle: SocketHandle): void {
    if (this.#context.guardsOnly) return;
    const { tuning } = this;
    tuning.setAtConnect(handle, ownerOfConnecting(handle), boundEarly.get(handle) === true);
    outgoingRecord.sockets++;
    setHandleTuning(handle, tuning);
    if (tuning.values.quickAck === 'on') armQuickAck(handle);
  }

  /** Nothing is set on its connections before they have lived for a while. */
  get isGuardOnly(): boolean {
    return this.#context.guardsOnly;
  }

  /** Connected. */
  open(connection: PeerConnection): void {
    if (connection.destination !== undefined) noteOutgoing(connection.handle, connection.destination);
    if (!this.#isGuarded) return;
    this.#guard ??= new OutgoingGuard(() => this.tuning, this.#values.deadPeer);
    this.#guard.add(connection);
  }

  /** Connected, and the app knows. */
  finish(connection: PeerConnection): void {
    const { handle, owner } = connection;
    this.tuning.noteNegotiated(handle);
    this.tuning.restore(handle, owner);
    this.tuning.setOnceConnected(handle, owner, false);
    this.tuning.tighten(handle);
    this.tuning.watch()?.add(connection);
  }

  close(): void {
    this.#guard?.close();
    this.#tuning?.close();
  }
}

/** The scopes of outgoing sockets, by port. */
class Scopes {
  readonly #all: Scope;
  readonly #ports: ReadonlyMap<unknown, Scope>;
  readonly #bindsEarly: boolean;

  constructor(context: HookContext, values: OptionValues) {
    this.#all = new Scope(context, values);
    const ports = Object.entries(context.outgoingPorts);
    const every = [values, ...Object.values(context.outgoingPorts)];
    this.#bindsEarly = !context.guardsOnly && every.some((each) => hasStepsBeforeBind(each, 'outgoing'));
    this.#ports = new Map(ports.map(([port, own]) => [Number(port), new Scope(context, own)] as const));
  }

  /** There is something to set on sockets that bind a local address. */
  get bindsEarly(): boolean {
    return this.#bindsEarly;
  }

  at(port: unknown): Scope {
    return this.#ports.get(port) ?? this.#all;
  }

  close(): void {
    for (const scope of [this.#all, ...this.#ports.values()]) scope.close();
  }
}

/** Count an attempt to connect, and guard the connection that comes of it. */
function watchAttempt(scope: Scope, handle: SocketHandle, request: ConnectRequest, owner: unknown): void {
  const destination = destinationOf(hostOf(owner, request), request.port ?? 0);
  if (typeof owner !== 'object' || owner === null) return;
  const connection = noteAttempt(owner, handle, destination, scope);
  if (!scope.isGuardOnly) atCompletion(request, (oncomplete) => thenFinish(scope, connection, oncomplete));
}

/** Finish a connection when the app knows of it. */
function thenFinish(scope: Scope, connection: PeerConnection, oncomplete: OnComplete): OnComplete {
  return hasPeer(connection.handle)
    ? function (this: ConnectRequest, ...args) {
        const result = oncomplete.apply(this, args);
        if (!connection.isOpen) return result;
        // Closed by the app, or too late: Node goes on with another address.
        if (fdOf(connection.handle) < 0) endConnection(connection);
        else scope.finish(connection);
        return result;
      }
    : oncomplete;
}

function makeConnect(scopes: Scopes, isIPv6: boolean, original: Connect): Connect {
  return function (this: ConnectingHandle, request: ConnectRequest, ...rest: unknown[]) {
    const scope = scopes.at(request.port);
    const isTuned = scope.tuneEarly(this, isIPv6);
    const error = original.call(this, request, ...rest);
    const owner = ownerOfConnecting(this);
    if (error !== 0) {
      destinationOf(hostOf(owner, request), request.port ?? 0).failed++;
      return error;
    }
    if (!isTuned) scope.tune(this);
    watchAttempt(scope, this, request, owner);
    return error;
  };
}

/** Node binds the local address of a socket that it is about to connect (lib/net.js `internalConnect`). Servers own no handle then. */
function makeBind(scopes: Scopes, isIPv6: boolean, original: Bind): Bind {
  return function (this: ConnectingHandle, ...args) {
    const owner = ownerOf(this);
    if (owner instanceof net().Socket) scopes.at(destinationPort.get(owner)).tuneBeforeBind(this, isIPv6, owner);
    return original.apply(this, args);
  };
}

function patchBinds(scopes: Scopes, prototype: ConnectingHandle): Undo[] {
  if (!scopes.bindsEarly) return [];
  return [
    replaceMethod<Bind>(prototype, 'bind', (original) => makeBind(scopes, false, original)),
    replaceMethod<Bind>(prototype, 'bind6', (original) => makeBind(scopes, true, original)),
  ];
}

function patchHandles(scopes: Scopes, prototype: ConnectingHandle): Undo {
  return undoAll([
    ...patchBinds(scopes, prototype),
    replaceMethod<Connect>(prototype, 'connect', (original) => makeConnect(scopes, false, original)),
    replaceMethod<Connect>(prototype, 'connect6', (original) => makeConnect(scopes, true, original)),
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

/** Node's classes of handles, each patched when the first one connects. The only sure way to them is a socket's handle. */
class HandleClasses {
  readonly scopes: Scopes;
  #undoHandles: Undo | undefined;
  #undoWraps: Undo | undefined;
  #isClosed = false;

  constructor(scopes: Scopes) {
    this.scopes = scopes;
  }

  /** Whether the handles of sockets are patched by now. */
  hasHandles(): boolean {
    const prototype = this.#undoHandles === undefined && !this.#isClosed ? tcpPrototype() : undefined;
    if (prototype !== undefined) this.#undoHandles = patchHandles(this.scopes, prototype);
    return this.#undoHandles !== undefined;
  }

  patch(handle: SocketHandle): void {
    // Of a connect() that began before the undo.
    if (this.#isClosed) return;
    const below = handleBelow(handle);
    const sockets = connectingPrototype(below ?? handle);
    const wraps = below === undefined ? undefined : connectingPrototype(handle);
    if (sockets !== undefined) this.#undoHandles ??= patchHandles(this.scopes, sockets);
    if (wraps !== undefined) this.#undoWraps ??= patchWraps(wraps);
  }

  undo(): void {
    this.#isClosed = true;
    this.#undoWraps?.();
    this.#undoHandles?.();
    this.scopes.close();
  }
}

type SocketConnect = NetSocket['connect'];

function makeSocketConnect(classes: HandleClasses, original: SocketConnect): SocketConnect {
  const patch = (handle: SocketHandle): void => classes.patch(handle);
  const { bindsEarly } = classes.scopes;
  return function (this: NetSocket, ...args) {
    const handle = this._handle;
    if (typeof this._host === 'string') connectsAgain.set(this, true);
    const port = bindsEarly ? portOfConnect(args) : undefined;
    if (port !== undefined) destinationPort.set(this, port);
    if (handle != null) classes.patch(handle);
    // Node gives the socket its handle within this call. With a `lookup` that answers at once, it connects in this call too.
    else if (!classes.hasHandles()) return watchSocketHandle(this, patch, () => original.apply(this, args));
    return original.apply(this, args);
  };
}

function install(context: HookContext): Undo | undefined {
  const { outgoing: values } = context;
  if (values === undefined) return undefined;
  const classes = new HandleClasses(new Scopes(context, values));
  const undoConnect = replaceMethod<SocketConnect>(net().Socket.prototype, 'connect', (original) =>
    makeSocketConnect(classes, original),
  );
  return undoAll([undoConnect, () => classes.undo()]);
}

/** Every socket that this process connects: http.Agent, fetch, database drivers, TLS or not. */
export const outgoingSocketHook: Hook = { name: 'outgoing-socket', install };
