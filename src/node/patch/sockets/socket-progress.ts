import type { NetSocket } from '../../net.js';
import { replaceOwn } from '../own-methods.js';
import type { Undo } from '../replace.js';

type OnProgress = (socket: NetSocket) => void;

/** Replaced as a whole, so that a watcher may go while they are called. */
let watchers: readonly OnProgress[] = [];

let unpatch: Undo | undefined;

function patch(): Undo | undefined {
  return replaceOwn(
    'Socket._unrefTimer',
    (original) =>
      function (this: NetSocket) {
        for (const watcher of watchers) watcher(this);
        return original.call(this);
      },
  );
}

/**
 * Call `watcher` whenever a socket makes progress: it has connected, it has read, or it is about to write. Node restarts the socket's timeout
 * then (lib/net.js `_unrefTimer`). No app can see a call of it, and every read and write pays for a frame: so there is one for all watchers.
 *
 * @returns an undo; undefined if somebody else has replaced the method, or Node's code is not what we know
 */
export function watchProgress(watcher: OnProgress): Undo | undefined {
  unpatch ??= patch();
  if (unpatch === undefined) return undefined;
  watchers = [...watchers, watcher];
  return () => {
    watchers = watchers.filter((other) => other !== watcher);
    if (watchers.length > 0) return;
    unpatch?.();
    unpatch = undefined;
  };
}
