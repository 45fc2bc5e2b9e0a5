import { debug, warnOnce } from '../diagnostics.js';
import { darwinPlatform } from './darwin.js';
import { type Libc, loadLibc } from './libc.js';
import { linuxPlatform } from './linux.js';
import { nodeApiPlatform } from './node-api.js';
import type { Platform } from './platform.js';

const PLATFORMS: Readonly<Partial<Record<NodeJS.Platform, (libc: Libc) => Platform>>> = {
  linux: linuxPlatform,
  android: linuxPlatform,
  darwin: darwinPlatform,
};

let current: Platform | undefined;

type Use = (platform: Platform) => void;

/** Callbacks that wait for the platform. */
const waiting = new Set<Use>();

/**
 * Call `use` when the platform is loaded, without loading it.
 *
 * @returns a function that cancels the call
 */
export function whenLoaded(use: Use): () => void {
  if (current === undefined) waiting.add(use);
  else use(current);
  return () => {
    waiting.delete(use);
  };
}

/** Platform of the running system, loaded on first use. Node's own API where the system has no table, or koffi does not load. */
export function platform(): Platform {
  if (current !== undefined) return current;
  current = detect();
  for (const use of waiting) use(current);
  waiting.clear();
  return current;
}

function detect(): Platform {
  const make = PLATFORMS[process.platform];
  if (make === undefined) return nodeApiPlatform(`no table of socket options for ${process.platform}`);
  try {
    return make(loadLibc());
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    debug('no native calls: %s', cause);
    warnOnce(
      'SOCKET_TUNE_NO_NATIVE',
      'native',
      `native calls are not available (${cause}); only TCP_NODELAY and keepalive are set, through Node's own API, and files are sent as ever`,
    );
    return nodeApiPlatform(`native calls are not available: ${cause}`);
  }
}
