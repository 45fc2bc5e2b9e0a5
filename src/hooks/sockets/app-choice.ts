import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import type { NetSocket } from '../../node/net.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { applyStep } from '../../options/apply.js';
import type { Step } from '../../options/plan.js';
import type { OptionKey } from '../../options/table.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import { tuningOf } from './tuning.js';

type SetNoDelay = NetSocket['setNoDelay'];
type KeepAliveArguments = [enable?: unknown, initialDelay?: number, interval?: number, count?: number];
type SetKeepAlive = (this: NetSocket, ...args: KeepAliveArguments) => NetSocket;

interface KeepAliveWish {
  readonly enable?: unknown;
  readonly interval?: unknown;
  readonly count?: unknown;
}

interface State {
  isUndone: boolean;
}

/** Options of a socket that are the app's, for this connection of it and for the next. */
const decided = hiddenSlot<object, Set<string>>();

function note(socket: NetSocket, option: OptionKey, isOurs: boolean): void {
  const known = decided.get(socket);
  if (isOurs) known?.delete(option);
  else if (known === undefined) decided.set(socket, new Set([option]));
  else known.add(option);
}

/**
 * The steps about which the app has not said something else.
 *
 * @param owner of a handle, which need not be a socket
 */
export function undecided(owner: unknown, steps: readonly Step[]): readonly Step[] {
  const known = owner instanceof net().Socket ? decided.get(owner) : undefined;
  if (known === undefined || known.size === 0) return steps;
  return steps.filter(({ row }) => !known.has(row.key) && !known.has(row.requires ?? ''));
}

function makeSetNoDelay(state: State, original: SetNoDelay): SetNoDelay {
  return function (this: NetSocket, ...args) {
    const result = original.apply(this, args);
    if (state.isUndone) return result;
    const [enable] = args;
    // Node takes whatever is given as in an `if`, and nothing at all for true.
    const isWanted = enable === undefined || Boolean(enable);
    note(this, 'noDelay', isWanted);
    if (!isWanted && tuningOf(this)?.values.noDelay) this._handle?.setNoDelay?.(false);
    return result;
  };
}

/** What a call of setKeepAlive says: from Node 24 on also of the interval and the count, and as an object. */
function keepAliveWish(original: SetKeepAlive, args: KeepAliveArguments): KeepAliveWish {
  const [enable, , interval, count] = args;
  if (original.length < 4) return { enable };
  return typeof enable === 'object' && enable !== null ? enable : { enable, interval, count };
}

function makeSetKeepAlive(state: State, original: SetKeepAlive): SetKeepAlive {
  return function (this: NetSocket, ...args) {
    const result = original.apply(this, args);
    if (state.isUndone) return result;
    const { enable, interval, count } = keepAliveWish(original, args);
    note(this, 'keepAlive', Boolean(enable));
    note(this, 'keepAliveInterval', interval === undefined);
    note(this, 'keepAliveCount', count === undefined);
    const tuning = tuningOf(this);
    const handle = this._handle;
    if (tuning === undefined || !tuning.values.keepAlive || handle === null) return result;
    if (enable) for (const step of undecided(this, tuning.restored)) applyStep(tuning.platform, step, handle);
    else handle.setKeepAlive?.(false, 0);
    return result;
  };
}

/**
 * Node remembers what it has set itself and leaves out calls that would change nothing, so an app's `setNoDelay(false)` on a
 * socket that was tuned behind Node's back would be lost. What the app says wins: it is said to the kernel in any case, and
 * kept in mind for a handle that the socket is given later (the next address of a name, a new connection). And what it has not
 * spoken of stays: its `setKeepAlive(true, delay)` is about the delay, and not about interval and count.
 */
function install(context: HookContext): Undo | undefined {
  const { prototype } = net().Socket;
  const scopes = allValues(context);
  const state = { isUndone: false };
  const undos: Undo[] = [];
  if (scopes.some((values) => values.noDelay)) {
    undos.push(replaceMethod<SetNoDelay>(prototype, 'setNoDelay', (original) => makeSetNoDelay(state, original)));
  }
  if (scopes.some((values) => values.keepAlive)) {
    undos.push(replaceMethod<SetKeepAlive>(prototype, 'setKeepAlive', (original) => makeSetKeepAlive(state, original)));
  }
  return () => {
    state.isUndone = true;
    for (const undo of undos) undo();
  };
}

export const appChoiceHook: Hook = { name: 'app-choice', install };
