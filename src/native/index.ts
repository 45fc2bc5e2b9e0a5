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

/** Whether node was started with `--permission`. */
export function hasPermissionModel(): boolean {
  return Reflect.get(process, 'permission') !== undefined;
}

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

/** Why koffi did not load, and the flag of node that is in the way. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [message = ''] = error.message.split('\n', 1);
  if (!('code' in error) || error.code !== 'ERR_DLOPEN_DISABLED') return message;
  // Node says the same of `--no-addons`.
  return hasPermissionModel()
    ? 'the permission model is on: start node with --allow-addons too'
    : 'node was started with --no-addons';
}

function detect(): Platform {
  const make = PLATFORMS[process.platform];
  if (make === undefined) return nodeApiPlatform(`no table of socket options for ${process.platform}`);
  try {
    return make(loadLibc());
  } catch (error) {
    const cause = causeOf(error);
    debug('no native calls: %s', cause);
    warnOnce(
      'SOCKET_TUNE_NO_NATIVE',
      'native',
      `native calls are not available (${cause}); only TCP_NODELAY and keepalive are set, through Node's own API, and files are sent as ever`,
    );
    return nodeApiPlatform(`native calls are not available: ${cause}`);
  }
}
