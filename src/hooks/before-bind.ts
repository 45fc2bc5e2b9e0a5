import { net } from '../node/modules.js';
import { type Bind, type ConnectingHandle, connectingPrototype } from '../node/net.js';
import { replaceMethod, type Undo, undoAll } from '../node/patch/replace.js';
import { applyAndConfirm } from '../options/apply.js';
import type { OptionOutcome } from '../options/outcome.js';
import { planOptions, type Step, stepsBeforeBind } from '../options/plan.js';
import type { SocketFamily } from '../options/socket-option.js';
import { type HookContext, valuesAt } from './context.js';
import { createSocketFor } from './create-socket.js';

/** The options of handles that are bound within one call of {@link setBeforeBind}. */
interface BindTuning {
  readonly context: HookContext;
  readonly steps: readonly Step[];
  outcomes: readonly OptionOutcome[];
}

/** Of the innermost call: an app may listen on one server while another is about to bind. */
let currentTuning: BindTuning | undefined;

function makeBind(isIPv6: boolean, original: Bind): Bind {
  return function (this: ConnectingHandle, ...args) {
    const tuning = currentTuning;
    if (tuning !== undefined && tuning.steps.length > 0) {
      const platform = tuning.context.platform();
      // Without IPv6, Node binds a second handle (lib/net.js `setupListenHandle`): the outcomes are those of the last.
      if (createSocketFor(platform, this, isIPv6, tuning.steps)) {
        tuning.outcomes = tuning.steps.map((step) => applyAndConfirm(platform, step, this));
      }
    }
    return original.apply(this, args);
  };
}

/** Node's class of TCP handles. A handle is the only way to it, so one is bound to a free port for a moment. */
function handlePrototype(): ConnectingHandle | undefined {
  const handle = net()._createServerHandle?.('127.0.0.1', 0, 4);
  if (typeof handle !== 'object') return undefined;
  const prototype = connectingPrototype(handle);
  handle.close();
  return prototype;
}

/** Replace bind(2) of TCP handles, which {@link setBeforeBind} needs. */
export function patchBind(): Undo | undefined {
  const prototype = handlePrototype();
  if (prototype === undefined) return undefined;
  return undoAll([
    replaceMethod<Bind>(prototype, 'bind', (original) => makeBind(false, original)),
    replaceMethod<Bind>(prototype, 'bind6', (original) => makeBind(true, original)),
  ]);
}

/**
 * The options that listeners need before bind(2).
 *
 * @param port undefined for a path
 */
export function stepsBeforeBindOf(
  context: HookContext,
  port: number | undefined,
  family: SocketFamily = 'tcp',
): readonly Step[] {
  const kind = { target: 'listener', family, clientSpeaksFirst: false, exactBuffers: false } as const;
  return stepsBeforeBind(planOptions(context.platform(), valuesAt(context, port), kind));
}

/**
 * Set options on the socket of every handle that is bound while `act` runs.
 *
 * @returns the result of `act`, and the outcomes; these are `unsupported` if no handle was bound, or it had no socket of ours
 */
export function setBeforeBind<T>(
  context: HookContext,
  steps: readonly Step[],
  act: () => T,
): { result: T; outcomes: readonly OptionOutcome[] } {
  const cause = 'the socket was bound by somebody else';
  const outcomes = steps.map(({ applied }): OptionOutcome => ({ ...applied, verdict: 'unsupported', cause }));
  const tuning: BindTuning = { context, steps, outcomes };
  const outer = currentTuning;
  currentTuning = tuning;
  try {
    const result = act();
    return { result, outcomes: tuning.outcomes };
  } finally {
    currentTuning = outer;
  }
}
