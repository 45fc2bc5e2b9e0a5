import { net } from '../node/modules.js';
import { type Bind, type ConnectingHandle, connectingPrototype } from '../node/net.js';
import { replaceMethod, type Undo } from '../node/patch/replace.js';
import { applyAndConfirm } from '../options/apply.js';
import type { OptionOutcome } from '../options/outcome.js';
import type { Step } from '../options/plan.js';
import type { HookContext } from './context.js';
import { createSocketFor } from './create-socket.js';

/** What the listener that is being made is to have before it is bound. */
interface Pending {
  readonly context: HookContext;
  readonly steps: readonly Step[];
  outcomes: readonly OptionOutcome[];
}

let pending: Pending | undefined;

function makeBind(isIPv6: boolean, original: Bind): Bind {
  return function (this: ConnectingHandle, ...args) {
    if (pending !== undefined && pending.steps.length > 0) {
      const platform = pending.context.platform();
      // Node binds a second handle where the system has no IPv6: the outcomes are those of the last.
      if (createSocketFor(platform, this, isIPv6)) {
        pending.outcomes = pending.steps.map((step) => applyAndConfirm(platform, step, this));
      }
    }
    return original.apply(this, args);
  };
}

/** Node's class of TCP handles, by one that is bound to a port of the system's choice for a moment: there is no other way to it. */
function handlePrototype(): ConnectingHandle | undefined {
  const handle = net()._createServerHandle?.('127.0.0.1', 0, 4);
  if (typeof handle !== 'object') return undefined;
  const prototype = connectingPrototype(handle);
  handle.close();
  return prototype;
}

/** Patch the class of TCP handles, so that {@link setBeforeBind} works. */
export function patchBind(): Undo | undefined {
  const prototype = handlePrototype();
  if (prototype === undefined) return undefined;
  const undos = [
    replaceMethod<Bind>(prototype, 'bind', (original) => makeBind(false, original)),
    replaceMethod<Bind>(prototype, 'bind6', (original) => makeBind(true, original)),
  ];
  return () => {
    for (const undo of undos) undo();
  };
}

/**
 * Set options on the socket of every handle that is bound while `act` runs.
 *
 * @returns what became of them; `unsupported` if nothing was bound, or not by a handle of ours
 */
export function setBeforeBind<T>(
  context: HookContext,
  steps: readonly Step[],
  act: () => T,
): { result: T; outcomes: readonly OptionOutcome[] } {
  const cause = 'the socket was bound by somebody else';
  const outcomes = steps.map(({ applied }): OptionOutcome => ({ ...applied, verdict: 'unsupported', cause }));
  const mine: Pending = { context, steps, outcomes };
  pending = mine;
  try {
    const result = act();
    return { result, outcomes: mine.outcomes };
  } finally {
    pending = undefined;
  }
}
