import { hiddenSlot } from '../hidden-slot.js';
import { type NetSocket, net } from '../node-internals.js';
import { applyStep } from '../options/apply.js';
import type { OptionKey } from '../options/table.js';
import { allValues, type Hook, type HookContext } from './hook.js';
import { replaceMethod, type Undo } from './patch.js';
import { tuningOf } from './tuning.js';

type SetNoDelay = NetSocket['setNoDelay'];
type SetKeepAlive = NetSocket['setKeepAlive'];

interface State {
  isUndone: boolean;
}

/** What an app has said of a socket before it was connected. */
const refusals = hiddenSlot<object, Set<OptionKey>>();

/** Options that the app does not want on a socket that is not connected yet. */
export function refusedByApp(socket: object): ReadonlySet<OptionKey> | undefined {
  return refusals.get(socket);
}

function note(socket: NetSocket, option: OptionKey, isWanted: boolean): void {
  if (socket.server != null) return;
  const refused = refusals.get(socket);
  if (isWanted) refused?.delete(option);
  else if (refused === undefined) refusals.set(socket, new Set([option]));
  else refused.add(option);
}

function makeSetNoDelay(state: State, original: SetNoDelay): SetNoDelay {
  return function (this: NetSocket, enable) {
    const result = original.call(this, enable);
    if (state.isUndone) return result;
    const tuning = tuningOf(this);
    // Node takes whatever is given as in an `if`, and nothing at all for true.
    const isWanted = enable === undefined || Boolean(enable);
    if (tuning === undefined) note(this, 'noDelay', isWanted);
    else if (!isWanted && tuning.values.noDelay) this._handle?.setNoDelay?.(false);
    return result;
  };
}

function makeSetKeepAlive(state: State, original: SetKeepAlive): SetKeepAlive {
  return function (this: NetSocket, enable, initialDelay) {
    const result = original.call(this, enable, initialDelay);
    if (state.isUndone) return result;
    const tuning = tuningOf(this);
    const handle = this._handle;
    if (tuning === undefined) note(this, 'keepAlive', Boolean(enable));
    else if (!tuning.values.keepAlive || handle === null) return result;
    else if (enable) for (const step of tuning.restored) applyStep(tuning.platform, step, handle);
    else handle.setKeepAlive?.(false, 0);
    return result;
  };
}

/**
 * Node remembers what it has set itself and leaves out calls that would change nothing, so an app's `setNoDelay(false)` on a
 * socket that was tuned behind Node's back would be lost. What the app says wins: it is said to the kernel in any case. And
 * what it has not spoken of stays: its `setKeepAlive(true, delay)` is about the delay, and not about interval and count.
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
