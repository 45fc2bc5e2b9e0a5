import type { NetSocket } from '../../node/net.js';
import { replaceOwn } from '../../node/patch/own-methods.js';
import { allOrNone, type Undo, undoAll } from '../../node/patch/replace.js';
import { isOfConnect, isTimedOut } from '../../node/patch/sockets/socket-error.js';
import { watchProgress } from '../../node/patch/sockets/socket-progress.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import { beforeFirst, noteEnd, noteProgress } from './known-connections.js';

function noteDestroy(socket: NetSocket, error: unknown): void {
  const connection = noteEnd(socket, isOfConnect(error));
  if (error === null || connection === undefined || !isTimedOut(error)) return;
  if (connection.destination !== undefined) connection.destination.dead++;
}

function watchLifetimes(): Undo | undefined {
  return allOrNone([
    () => watchProgress(noteProgress),
    () =>
      replaceOwn(
        'Socket._destroy',
        (original) =>
          function (this: NetSocket, error, callback) {
            noteDestroy(this, error);
            return original.call(this, error, callback);
          },
      ),
  ]);
}

function install(context: HookContext): Undo | undefined {
  if (!context.guards && !allValues(context).some(({ deadPeer }) => deadPeer !== undefined)) return undefined;
  let undoWatch: Undo | undefined;
  // A process whose accepted connections are the kernel's to watch, and that opens none, does without.
  const forget = beforeFirst(() => {
    undoWatch ??= watchLifetimes();
  });
  return undoAll([forget, () => undoWatch?.()]);
}

/** When connections that are counted or watched begin and end. There is no other sign of it that an app could not see. */
export const lifetimeHook: Hook = { name: 'connection-lifetime', install };
