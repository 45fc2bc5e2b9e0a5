import { nextTick } from '../../clock.js';
import { net } from '../../modules.js';
import type { NetSocket } from '../../net.js';
import { replaceMethod, type Undo } from '../replace.js';

type Final = (this: NetSocket, callback: (error?: Error | null) => void) => void;

/** Call `after` when a socket has sent its FIN, and has emitted 'finish' (lib/net.js `_final`). */
export function afterEnd(after: (socket: NetSocket) => void): Undo {
  return replaceMethod<Final>(
    net().Socket.prototype,
    '_final',
    (original) =>
      function (this: NetSocket, callback) {
        original.call(this, (error) => {
          callback(error);
          if (!error) nextTick(() => after(this));
        });
      },
  );
}
