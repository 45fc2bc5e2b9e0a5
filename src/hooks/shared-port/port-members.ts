import type { Platform } from '../../native/platform.js';
import type { PortSocket } from '../../native/ports/port-socket.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { fs } from '../../node/modules.js';
import type { ListenHandle } from '../../node/net.js';

/** The listeners that share the port of one, of all processes, that one included; undefined if the kernel does not tell. */
export function portMembers(platform: Platform, handle: ListenHandle, port: number): readonly PortSocket[] | undefined {
  const listeners = platform.ports?.sockets(port, 'LISTEN');
  if (listeners === undefined || fdOf(handle) < 0) return undefined;
  const { ino } = fs().fstatSync(fdOf(handle));
  const mine = listeners.find(({ inode }) => inode === ino);
  return mine && listeners.filter(({ family, address }) => family === mine.family && address === mine.address);
}
