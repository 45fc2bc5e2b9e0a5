import { now, setTimeout } from '../clock.js';
import { debug } from '../diagnostics.js';
import { hiddenSlot } from '../hidden-slot.js';
import type { Platform } from '../native/platform.js';
import { boundPort, type ListenHandle, type NetServer } from '../node-internals.js';
import { beforeClose, holdClose } from './patch.js';
import { portMembers } from './port-members.js';

/**
 * A listener that is closed takes the connections with it that wait in its queue, and those whose handshake is under way: their
 * clients are reset, though another process on the port would have had them. So a listener that shares its port stays open until
 * it has none of these any more: a few milliseconds, mostly.
 */

/** Two first retransmits of a SYN-ACK, and so what a client needs whose answer is lost, or that was not to be accepted yet (DEFER_ACCEPT). */
const LONGEST = 2000;
const FIRST_LOOK = 1;
const MOST_BETWEEN_LOOKS = 20;

const NO_DEFERRING = Int32Array.of(0);

/** What ends a drain at once, by its server. */
const drains = hiddenSlot<object, (() => void) | undefined>();

/** Close a listener when nothing is under way to it any more. */
function drain(platform: Platform, server: NetServer, handle: ListenHandle, inode: number, close: () => void): void {
  const port = boundPort(handle) ?? 0;
  const began = now();
  const release = holdClose(server);
  const { TCP_DEFER_ACCEPT } = platform.constants;
  if (TCP_DEFER_ACCEPT !== undefined) platform.set(handle, TCP_DEFER_ACCEPT, NO_DEFERRING);
  let underWay: ReadonlySet<string> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(timer);
    drains.set(server, undefined);
    close();
    release();
    debug('drained port %d in %d ms', port, now() - began);
  };
  const look = (wait: number): void => {
    const sockets = platform.portSockets(port, 'LISTEN', 'SYN-RECV') ?? [];
    const shaking = sockets.filter(({ state }) => state === 'SYN-RECV').map(({ peer }) => peer);
    underWay = new Set(underWay === undefined ? shaking : shaking.filter((peer) => underWay?.has(peer)));
    const queued = sockets.find((socket) => socket.inode === inode)?.queued ?? 0;
    if ((underWay.size === 0 && queued === 0) || now() - began > LONGEST) return end();
    timer = setTimeout(look, wait, Math.min(wait * 2, MOST_BETWEEN_LOOKS));
  };
  drains.set(server, end);
  timer = setTimeout(look, FIRST_LOOK, FIRST_LOOK);
}

/** A server listens anew: what it had before is closed now, so that its events come in the order that Node gives them. */
export function endDrain(server: object): void {
  drains.get(server)?.();
}

/** Have a listener that shares its port drain before it closes, unless the kernel gives its connections to the others by itself. */
export function drainOnClose(platform: Platform, server: NetServer, handle: ListenHandle): void {
  beforeClose(handle, (close) => {
    const port = boundPort(handle);
    const members =
      port === undefined || platform.migratesConnections() ? undefined : portMembers(platform, handle, port);
    if (members === undefined || members.all.length < 2 || platform.ignoreNewcomers(handle) !== 0) return close();
    drain(platform, server, handle, members.mine.inode, close);
  });
}
