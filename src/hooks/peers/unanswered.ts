import { hiddenSlot } from '../../node/hidden-slot.js';
import { net } from '../../node/modules.js';
import { handleBelow, type NetSocket, type SocketHandle } from '../../node/net.js';
import type { Undo } from '../../node/patch/replace.js';
import { readTimedOut } from '../../node/patch/sockets/socket-error.js';
import { watchProgress } from '../../node/patch/sockets/socket-progress.js';
import { allValues, type Hook, type HookContext } from '../context.js';
import type { PeerConnection } from './connection.js';

/** The TLS socket upon a TCP handle, which another socket may have connected: `tls.connect({ socket })`. */
const tlsSockets = hiddenSlot<SocketHandle, NetSocket>();

/** End a connection whose peer has not answered. */
export function endUnanswered({ handle, owner }: PeerConnection): void {
  const socket = tlsSockets.get(handle) ?? owner;
  if (socket instanceof net().Socket) socket.destroy(readTimedOut());
}

function install(context: HookContext): Undo | undefined {
  if (!allValues(context).some(({ answer }) => answer !== undefined)) return undefined;
  return watchProgress((socket) => {
    const below = socket._handle == null ? undefined : handleBelow(socket._handle);
    if (below !== undefined) tlsSockets.set(below, socket);
  });
}

/** With `answer`: which socket the error is for. Nothing leads from a TCP handle to the TLS socket upon it, but that one's reads and writes. */
export const unansweredHook: Hook = { name: 'unanswered', install };
