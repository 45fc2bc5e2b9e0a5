import type { Platform } from '../native/platform.js';
import { fdOf } from '../native/sockets/handle-fd.js';
import type { ConnectingHandle } from '../node/net.js';

/**
 * Give a TCP handle its socket ahead of time: libuv makes one only in bind(2) or connect(2), too late for what is to be set before.
 *
 * @returns whether it has one now; if not, Node goes on as ever, and the options come too late
 */
export function giveSocket(platform: Platform, handle: ConnectingHandle, isIPv6: boolean): boolean {
  if (fdOf(handle) >= 0) return true;
  const fd = platform.openSocket(isIPv6);
  // Out of descriptors: Node's own call meets the same, and reports it.
  if (fd < 0) return false;
  if (handle.open(fd) === 0) return true;
  platform.close(fd);
  return false;
}
