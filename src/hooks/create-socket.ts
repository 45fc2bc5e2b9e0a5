import type { Platform } from '../native/platform.js';
import { fdOf } from '../native/sockets/handle-fd.js';
import type { ConnectingHandle } from '../node/net.js';
import type { Step } from '../options/plan.js';

/**
 * Create the socket of a TCP handle early. libuv creates it in bind(2) or connect(2), too late for options that come before these.
 *
 * @param steps that are to be set: one may be about what the socket is made as
 * @returns whether the handle has a socket now. Without one, Node goes on as ever, and the options are set too late.
 */
export function createSocketFor(
  platform: Platform,
  handle: ConnectingHandle,
  isIPv6: boolean,
  steps: readonly Step[],
): boolean {
  if (fdOf(handle) >= 0) return true;
  const fd = openFor(platform, isIPv6, steps);
  // Out of descriptors: Node's own call fails in the same way, and reports it.
  if (fd < 0) return false;
  if (handle.open(fd) === 0) return true;
  platform.close(fd);
  return false;
}

/** The socket is MPTCP where that is asked for and can be had, and else TCP. */
function openFor(platform: Platform, isIPv6: boolean, steps: readonly Step[]): number {
  const isMultipath = steps.some(({ row, value }) => row.atCreation && value[0] === 1);
  const fd = isMultipath ? platform.openSocket(isIPv6, 'multipath') : -1;
  return fd >= 0 ? fd : platform.openSocket(isIPv6);
}
