import { noteServerChoice } from './hooks/sockets/server-choice.js';
import { isNetLoaded, NET_MODULE } from './node/modules.js';
import { LISTEN_CHANNEL } from './node/net.js';
import { afterBuiltin } from './node/patch/modules.js';
import { watchConnect, watchServers } from './node/patch/net.js';

const { channel, subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');

/** Node publishes each socket here before it connects (lib/net.js `connect`). */
const CONNECT_CHANNEL = 'net.client.socket';

/** Node publishes each UDP socket here when it is made (lib/dgram.js). */
const DATAGRAM_CHANNEL = 'udp.socket';

/**
 * A channel holds what is true of this thread. Channels are one registry a thread, which all copies of this package share: ESM or
 * CommonJS, of any version. The app would see a global.
 */
const INSTALLED = Symbol.for('socket-tune:installed');
const registry = channel(INSTALLED);

export function isInstalled(): boolean {
  return Reflect.get(registry, INSTALLED) === true;
}

export function setInstalled(installed: boolean): void {
  Reflect.set(registry, INSTALLED, installed);
}

const LISTENED_FOR = Symbol.for('socket-tune:listened-for');

/** Whether the primary of this cluster makes the listeners of this worker. It says so once, at the start. */
export function isListenedFor(): boolean {
  return Reflect.get(registry, LISTENED_FOR) === true;
}

export function setListenedFor(): void {
  Reflect.set(registry, LISTENED_FOR, true);
}

/** What a first use puts in place. Each may be called any number of times. */
export interface FirstUse {
  /** A socket is about to connect. */
  forSockets(): void;
  /** A server is about to listen. */
  forListeners(): void;
  /** A UDP socket has been made, and is not bound yet. */
  forDatagrams(socket: object): void;
}

/** What has to be known of an app. */
export interface Watched {
  /** The options of its servers, see server-choice.ts. They cannot be read later, so each is noted as it is made. */
  readonly servers: boolean;
  /** Every connection that it opens. */
  readonly connections: boolean;
}

/**
 * Call back when the process begins to use the network. Most processes with the preload never do: npm, compilers, scripts.
 *
 * @returns an undo
 */
export function watchFirstUse(use: FirstUse, watched: Watched): () => void {
  const unwatchDatagrams = watchDatagrams(use);
  const isLate = isNetLoaded();
  const unwatchNet = whenNetIsLoaded(() => [
    ...(watched.servers ? [watchServers(noteServerChoice)] : []),
    ...(watched.connections && !isLate ? [watchConnect(() => use.forSockets())] : []),
  ]);
  const unwatch = (): void => {
    unwatchDatagrams();
    unwatchNet();
  };
  if (isLate) {
    use.forListeners();
    return unwatch;
  }
  // Each connection is published; what is there already need not be asked again.
  const onListen = once(() => use.forListeners());
  const onConnect = once(() => use.forSockets());
  subscribe(LISTEN_CHANNEL, onListen);
  subscribe(CONNECT_CHANNEL, onConnect);
  return () => {
    unwatch();
    unsubscribe(LISTEN_CHANNEL, onListen);
    unsubscribe(CONNECT_CHANNEL, onConnect);
  };
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

/** Patch `net` before the app gets it. */
function whenNetIsLoaded(patch: () => readonly (() => void)[]): () => void {
  let undos: readonly (() => void)[] = [];
  const undo = (): void => {
    for (const one of undos) one();
  };
  if (isNetLoaded()) {
    undos = patch();
    return undo;
  }
  const forget = afterBuiltin(NET_MODULE, () => {
    undos = patch();
  });
  return () => {
    forget();
    undo();
  };
}

function watchDatagrams(use: FirstUse): () => void {
  const onDatagram = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return;
    if (typeof message.socket === 'object' && message.socket !== null) use.forDatagrams(message.socket);
  };
  subscribe(DATAGRAM_CHANNEL, onDatagram);
  return () => {
    unsubscribe(DATAGRAM_CHANNEL, onDatagram);
  };
}
