import type { NetSocket } from '../../node/net.js';
import { replaceAllOwn } from '../../node/patch/own-methods.js';
import { type Undo, undoAll } from '../../node/patch/replace.js';
import { isOfConnect, isTimedOut } from '../../node/patch/socket-error.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import { endAttempt, noteProgress } from './attempt.js';
import { beforeFirst, connectionOf, endConnection } from './connection.js';

function noteEnd(socket: NetSocket, error: unknown): void {
  endAttempt(socket, isOfConnect(error));
  const handle = socket._handle;
  const connection = handle === null ? undefined : connectionOf(handle);
  if (connection === undefined) return;
  const { destination, hasEnded } = connection;
  endConnection(connection);
  if (error !== null && !hasEnded && isTimedOut(error) && destination !== undefined) destination.dead++;
}

function watchLifetimes(): Undo | undefined {
  return replaceAllOwn({
    'Socket._unrefTimer': (original) =>
      function (this: NetSocket) {
        noteProgress(this);
        return original.call(this);
      },
    'Socket._destroy': (original) =>
      function (this: NetSocket, error, callback) {
        noteEnd(this, error);
        return original.call(this, error, callback);
      },
  });
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
