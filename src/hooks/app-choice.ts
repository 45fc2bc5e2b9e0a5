import { type NetSocket, net } from '../node-internals.js';
import type { Hook, HookContext } from './hook.js';
import { replaceMethod, type Undo } from './patch.js';

/**
 * Node remembers what it has set itself and leaves out calls that would change nothing, so an app's `setNoDelay(false)` on a
 * socket that was tuned behind Node's back would be lost. What the app says wins: it is said to the kernel in any case.
 */
function install(context: HookContext): Undo | undefined {
  const { prototype } = net().Socket;
  const { values } = context;
  const state = { isUndone: false };
  const undos: Undo[] = [];
  if (values.noDelay === true) {
    const make = (original: NetSocket['setNoDelay']): NetSocket['setNoDelay'] =>
      function (this: NetSocket, enable) {
        const result = original.call(this, enable);
        if (enable === false && !state.isUndone) this._handle?.setNoDelay?.(false);
        return result;
      };
    undos.push(replaceMethod(prototype, 'setNoDelay', make));
  }
  if (values.keepAlive === true) {
    const make = (original: NetSocket['setKeepAlive']): NetSocket['setKeepAlive'] =>
      function (this: NetSocket, enable, initialDelay) {
        const result = original.call(this, enable, initialDelay);
        if (!enable && !state.isUndone) this._handle?.setKeepAlive?.(false, 0);
        return result;
      };
    undos.push(replaceMethod(prototype, 'setKeepAlive', make));
  }
  return () => {
    state.isUndone = true;
    for (const undo of undos) undo();
  };
}

export const appChoiceHook: Hook = { name: 'app-choice', install };
