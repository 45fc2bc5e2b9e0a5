import type { NetServer, NetSocket } from '../../node/net.js';
import { replaceAllOwn } from '../../node/patch/own-methods.js';
import type { Undo } from '../../node/patch/replace.js';
import { counters } from '../../report/counters.js';
import type { Hook, HookContext } from '../context.js';
import { raiseUnmet } from './idle-time.js';

/** Whether a socket is a connection of an http server between two requests, or before the first. */
function isIdle({ server, parser, _httpMessage: response }: NetSocket): boolean {
  if (typeof server !== 'object' || server === null || !('keepAliveTimeout' in server)) return false;
  return parser !== undefined && parser !== null && !response && parser.incoming?.complete !== false;
}

function install({ keepAliveTime }: HookContext): Undo | undefined {
  if (keepAliveTime === undefined) return undefined;
  counters.idleClosed ??= 0;
  return replaceAllOwn({
    'Server._listen2': (original) =>
      function (this: NetServer, ...args) {
        raiseUnmet(this, keepAliveTime);
        return original.apply(this, args);
      },
    // The timer of a socket: nothing of it runs while requests come.
    'Socket._onTimeout': (original) =>
      function (this: NetSocket) {
        const wasIdle = !this.destroyed && isIdle(this);
        original.call(this);
        if (wasIdle && this.destroyed) counters.idleClosed = (counters.idleClosed ?? 0) + 1;
      },
  });
}

/** Servers that were made before we watched, and the connections that Node closes because they were idle: each may lose a request. */
export const idleCloseHook: Hook = { name: 'idle-close', install };
