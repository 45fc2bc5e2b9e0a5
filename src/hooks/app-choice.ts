import type { Platform } from '../native/platform.js';
import { type NetSocket, net, type SocketHandle } from '../node-internals.js';
import { applyStep, type Plan, planOptions } from '../options/apply.js';
import type { Hook, HookContext } from './hook.js';
import { replaceMethod, type Undo } from './patch.js';

type SetNoDelay = NetSocket['setNoDelay'];
type SetKeepAlive = NetSocket['setKeepAlive'];

interface State {
  isUndone: boolean;
}

/** The handle of a socket that a listener of ours has accepted. */
function acceptedHandle(socket: NetSocket, state: State): SocketHandle | undefined {
  return state.isUndone || socket.server == null ? undefined : (socket._handle ?? undefined);
}

function makeSetNoDelay(state: State, original: SetNoDelay): SetNoDelay {
  return function (this: NetSocket, enable) {
    const result = original.call(this, enable);
    // Node takes whatever is given as in an `if`, and nothing at all for true.
    if (enable !== undefined && !enable) acceptedHandle(this, state)?.setNoDelay?.(false);
    return result;
  };
}

function makeSetKeepAlive(state: State, platform: Platform, rewritten: Plan, original: SetKeepAlive): SetKeepAlive {
  return function (this: NetSocket, enable, initialDelay) {
    const result = original.call(this, enable, initialDelay);
    const handle = acceptedHandle(this, state);
    if (handle === undefined) return result;
    if (enable) for (const step of rewritten.steps) applyStep(platform, step, handle);
    else handle.setKeepAlive?.(false, 0);
    return result;
  };
}

/** What Node rewrites by itself when the app asks for keepalive. */
function rewrittenByNode(context: HookContext): Plan {
  const kind = { target: 'accepted', family: 'tcp', clientSpeaksFirst: false, exactBuffers: false } as const;
  const plan = planOptions(context.platform(), context.values, kind);
  return { ...plan, steps: plan.steps.filter((step) => step.row.rewrittenByNode) };
}

/**
 * Node remembers what it has set itself and leaves out calls that would change nothing, so an app's `setNoDelay(false)` on a
 * socket that was tuned behind Node's back would be lost. What the app says wins: it is said to the kernel in any case. And
 * what it has not spoken of stays: its `setKeepAlive(true, delay)` is about the delay, and not about interval and count.
 */
function install(context: HookContext): Undo | undefined {
  const { prototype } = net().Socket;
  const { values } = context;
  const state = { isUndone: false };
  const undos: Undo[] = [];
  if (values.noDelay) {
    undos.push(replaceMethod<SetNoDelay>(prototype, 'setNoDelay', (original) => makeSetNoDelay(state, original)));
  }
  if (values.keepAlive) {
    const rewritten = rewrittenByNode(context);
    const make = (original: SetKeepAlive): SetKeepAlive =>
      makeSetKeepAlive(state, context.platform(), rewritten, original);
    undos.push(replaceMethod<SetKeepAlive>(prototype, 'setKeepAlive', make));
  }
  return () => {
    state.isUndone = true;
    for (const undo of undos) undo();
  };
}

export const appChoiceHook: Hook = { name: 'app-choice', install };
