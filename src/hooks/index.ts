import { debug } from '../diagnostics.js';
import { appChoiceHook } from './app-choice.js';
import { compressionHook } from './compression.js';
import type { Hook, HookContext } from './hook.js';
import { listenerHook } from './listener.js';
import type { Undo } from './patch.js';
import { quickAckHook } from './quick-ack.js';
import { readStreamHook } from './read-stream.js';

/** What must be there before the app loads its modules. */
const MODULE_HOOKS: readonly Hook[] = [compressionHook];

/** What a process needs that opens sockets: files may be piped to them. */
const SOCKET_HOOKS: readonly Hook[] = [readStreamHook];

/** What it needs besides once it listens. */
const LISTENER_HOOKS: readonly Hook[] = [listenerHook, quickAckHook, appChoiceHook];

function installAll(hooks: readonly Hook[], context: HookContext): Undo[] {
  const undos: Undo[] = [];
  for (const hook of hooks) {
    const undo = hook.install(context);
    debug('hook %s %s', hook.name, undo === undefined ? 'is not needed' : 'is in place');
    if (undo !== undefined) undos.push(undo);
  }
  return undos;
}

/** The hooks of one installation, put in place when there is a first use for them. */
export interface Hooks {
  forModules(): void;
  forSockets(): void;
  forListeners(): void;
  undo(): void;
}

export function makeHooks(context: HookContext): Hooks {
  const undos: Undo[] = [];
  const once = (hooks: readonly Hook[]): (() => void) => {
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      undos.push(...installAll(hooks, context));
    };
  };
  const forSockets = once(SOCKET_HOOKS);
  const forListeners = once(LISTENER_HOOKS);
  return {
    forModules: once(MODULE_HOOKS),
    forSockets,
    forListeners() {
      forSockets();
      forListeners();
    },
    undo() {
      for (const undo of undos.splice(0).reverse()) undo();
    },
  };
}
