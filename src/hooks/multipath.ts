import type { Platform } from '../native/platform.js';
import type { SocketHandle } from '../node/net.js';
import type { OptionOutcome } from '../options/outcome.js';

const found = new Int32Array(1);

/** Whether a socket is MPTCP: by our option, or by whoever has made it. A connection is not if its peer has no MPTCP. */
export function isMultipath(platform: Platform, handle: SocketHandle): boolean {
  const { IPPROTO_MPTCP: constant } = platform.constants;
  return constant !== undefined && platform.get(handle, constant, found) === 0 && found[0] === 1;
}

/** What became of MPTCP in the handshake of a connection. */
export function negotiatedOutcome(platform: Platform, handle: SocketHandle): OptionOutcome {
  const outcome = { option: 'multipath', constant: 'IPPROTO_MPTCP', asked: 1 } as const;
  if (isMultipath(platform, handle)) return { ...outcome, kernel: 1, verdict: 'inherited' };
  return { ...outcome, kernel: 0, verdict: 'unneeded', cause: 'the peer has no MPTCP, or a way to it takes it out' };
}
