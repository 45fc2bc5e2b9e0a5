import type { Platform } from '../native/platform.js';
import { fdOf } from '../native/sockets/handle-fd.js';
import type { ConnectingHandle } from '../node/net.js';

/**
 * Create the socket of a TCP handle early. libuv creates it in bind(2) or connect(2), too late for options that come before these.
 *
 * @returns whether the handle has a socket now. Without one, Node goes on as ever, and the options are set too late.
 */
export function createSocketFor(platform: Platform, handle: ConnectingHandle, isIPv6: boolean): boolean {
  if (fdOf(handle) >= 0) return true;
  const fd = platform.openSocket(isIPv6);
  // Out of descriptors: Node's own call fails in the same way, and reports it.
  if (fd < 0) return false;
  if (handle.open(fd) === 0) return true;
  platform.close(fd);
  return false;
}
