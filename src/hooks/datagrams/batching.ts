import type { SocketConstant } from '../../native/platform.js';
import { type DatagramHandle, datagramHandle } from '../../node/dgram.js';
import type { Undo } from '../../node/patch/replace.js';
import { replaceSends } from '../../node/patch/sockets/dgram.js';
import type { HookContext } from '../context.js';
import { DatagramBatch } from './batch.js';

/** include/uapi/linux/udp.h, since kernel 4.18. */
const UDP_SEGMENT: SocketConstant = { level: 17, name: 103 };

/** include/uapi/asm-generic/socket.h. Asked for, the error is gone. */
const SO_ERROR: SocketConstant = { level: 1, name: 4 };

/**
 * Have the datagrams that one tick sends to one place leave together, from now on.
 *
 * @param socket a dgram.Socket: the only way to Node's class of UDP handles
 * @returns undefined if it was not asked for, or cannot be done
 */
export function batchDatagrams(context: HookContext, socket: object): Undo | undefined {
  if (!context.batchesDatagrams) return undefined;
  const platform = context.platform();
  const calls = platform.segments();
  const first = datagramHandle(socket);
  if (calls === undefined || first === undefined) return undefined;
  let isKnown: boolean | undefined;
  const isSupported = (handle: DatagramHandle): boolean => {
    isKnown ??= platform.get(handle, UDP_SEGMENT, new Int32Array(1)) === 0;
    return isKnown;
  };
  const found = new Int32Array(1);
  const takeError = (handle: DatagramHandle): number =>
    platform.get(handle, SO_ERROR, found) === 0 ? (found[0] ?? 0) : 0;
  const batch = new DatagramBatch(calls, Object.getPrototypeOf(first), isSupported, takeError);
  const undo = replaceSends(
    first,
    (original, isIPv6) =>
      function (...args) {
        // 0: the callback comes later.
        return batch.take(this, original, isIPv6, args) ? 0 : original.apply(this, args);
      },
    batch.flush,
  );
  if (undo === undefined) return undefined;
  return () => {
    batch.flush();
    undo();
  };
}
