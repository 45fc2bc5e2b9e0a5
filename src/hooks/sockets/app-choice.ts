import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import type { NetSocket } from '../../node/net.js';
import { replaceMethod, type Undo, undoAll } from '../../node/patch/replace.js';
import { applyStep } from '../../options/apply.js';
import type { Step } from '../../options/plan.js';
import type { OptionKey } from '../../options/table.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import { tuningOf } from './tuning.js';

type SetNoDelay = NetSocket['setNoDelay'];
type KeepAliveArguments = [enable?: unknown, initialDelay?: number, interval?: number, count?: number];
type SetKeepAlive = (this: NetSocket, ...args: KeepAliveArguments) => NetSocket;

interface KeepAliveChoice {
  readonly enable?: unknown;
  readonly interval?: unknown;
  readonly count?: unknown;
}

/** Options of a socket that the app has set, for this connection and the next ones of the socket. */
const chosenByApp = hiddenSlot<object, Set<string>>();

function noteChoice(socket: NetSocket, option: OptionKey, isOurs: boolean): void {
  const known = chosenByApp.get(socket);
  if (isOurs) known?.delete(option);
  else if (known === undefined) chosenByApp.set(socket, new Set([option]));
  else known.add(option);
}

/**
 * The steps whose options the app has not set.
 *
 * @param owner of a handle, which need not be a socket
 */
export function undecided(owner: unknown, steps: readonly Step[]): readonly Step[] {
  const chosen = owner instanceof net().Socket ? chosenByApp.get(owner) : undefined;
  if (chosen === undefined || chosen.size === 0) return steps;
  return steps.filter(({ row }) => !chosen.has(row.key) && !chosen.has(row.requires ?? ''));
}

function makeSetNoDelay(original: SetNoDelay): SetNoDelay {
  return function (this: NetSocket, ...args) {
    const result = original.apply(this, args);
    const [enable] = args;
    // As Node takes the argument: any truthy value, and none at all, switches it on.
    const isWanted = enable === undefined || Boolean(enable);
    noteChoice(this, 'noDelay', isWanted);
    if (!isWanted && tuningOf(this)?.values.noDelay) this._handle?.setNoDelay?.(false);
    return result;
  };
}

/** What a call of setKeepAlive() sets; see `keepAliveDetails` in node/versions.ts. */
function keepAliveChoice(original: SetKeepAlive, args: KeepAliveArguments): KeepAliveChoice {
  const [enable, , interval, count] = args;
  if (original.length < 4) return { enable };
  return typeof enable === 'object' && enable !== null ? enable : { enable, interval, count };
}

function makeSetKeepAlive(original: SetKeepAlive): SetKeepAlive {
  return function (this: NetSocket, ...args) {
    const result = original.apply(this, args);
    const { enable, interval, count } = keepAliveChoice(original, args);
    noteChoice(this, 'keepAlive', Boolean(enable));
    noteChoice(this, 'keepAliveInterval', interval === undefined);
    noteChoice(this, 'keepAliveCount', count === undefined);
    const tuning = tuningOf(this);
    const handle = this._handle;
    if (tuning === undefined || !tuning.values.keepAlive || handle === null) return result;
    if (enable) {
      for (const step of undecided(this, tuning.restored)) applyStep(tuning.platform, step, handle);
      tuning.tighten?.(handle);
    } else handle.setKeepAlive?.(false, 0);
    return result;
  };
}

/**
 * The app's choice wins over ours. Node skips a call that would change nothing by what it has set itself. So the app's
 * `setNoDelay(false)` would be lost on a socket that we have tuned: we repeat it to the kernel. We also keep it for the socket's
 * later handles, such as the next address of a name. Options that the app has not named stay ours: `setKeepAlive(true, delay)` sets
 * the delay, but libuv resets interval and count with it.
 */
function install(context: HookContext): Undo | undefined {
  const { prototype } = net().Socket;
  const scopes = allValues(context);
  const undos: Undo[] = [];
  if (scopes.some((values) => values.noDelay)) {
    undos.push(replaceMethod<SetNoDelay>(prototype, 'setNoDelay', makeSetNoDelay));
  }
  if (scopes.some((values) => values.keepAlive)) {
    undos.push(replaceMethod<SetKeepAlive>(prototype, 'setKeepAlive', makeSetKeepAlive));
  }
  return undoAll(undos);
}

export const appChoiceHook: Hook = { name: 'app-choice', install };
