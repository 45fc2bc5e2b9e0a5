import { debug } from '../diagnostics.js';
import { type Undo, undoAll } from '../node/patch/replace.js';
import type { Hook, HookContext } from './context.js';
import { batchDatagrams } from './datagrams/batching.js';
import { compressionHook } from './files/compression.js';
import { readStreamHook } from './files/read-stream.js';
import { fsHook } from './fs/index.js';
import { lifetimeHook } from './peers/lifetime.js';
import { unansweredHook } from './peers/unanswered.js';
import { pollPhaseHook } from './poll-phase.js';
import { drainHook } from './requests/drain.js';
import { idleCloseHook } from './requests/idle-close.js';
import { staleConnectionHook } from './requests/stale-connection.js';
import { clusterHook } from './shared-port/cluster.js';
import { appChoiceHook } from './sockets/app-choice.js';
import { tuneDatagrams } from './sockets/datagram.js';
import { ipcHook } from './sockets/ipc.js';
import { listenerHook } from './sockets/listener.js';
import { outgoingSocketHook } from './sockets/outgoing-socket.js';
import { quickAckHook } from './sockets/quick-ack.js';
import { spliceHook } from './splice/piped-read.js';

/** For every process: before the app loads its modules. */
const MODULE_HOOKS: readonly Hook[] = [compressionHook];

/** For processes that open sockets: files and other sockets may be piped to them, and pools may keep them. */
const SOCKET_HOOKS: readonly Hook[] = [pollPhaseHook, readStreamHook, spliceHook];

/** For clusters whose workers share ports: before the first worker is forked, or listens. */
const CLUSTER_HOOKS: readonly Hook[] = [clusterHook];

/** For processes that open sockets, where these are guarded. */
const GUARD_HOOKS: readonly Hook[] = [
  outgoingSocketHook,
  unansweredHook,
  staleConnectionHook,
  // Replaces what the one before does, later: so it is taken back first.
  lifetimeHook,
  appChoiceHook,
];

/** And where all their options are set. */
const TUNING_HOOKS: readonly Hook[] = [quickAckHook];

/** For processes that listen. */
const LISTENER_HOOKS: readonly Hook[] = [listenerHook, lifetimeHook, ipcHook, quickAckHook, appChoiceHook, fsHook];

/** For processes that listen, each where its variable is set. */
const REQUEST_HOOKS: readonly Hook[] = [idleCloseHook, drainHook];

function installAll(hooks: readonly Hook[], context: HookContext, known: Set<Hook>): Undo[] {
  const undos: Undo[] = [];
  for (const hook of hooks) {
    if (known.has(hook)) continue;
    known.add(hook);
    const undo = hook.install(context);
    debug('hook %s %s', hook.name, undo === undefined ? 'is not needed' : 'is in place');
    if (undo !== undefined) undos.push(undo);
  }
  return undos;
}

/** The hooks of one installation, put in place when there is a first use for them. */
export interface Hooks {
  forModules(): void;
  forSockets(): void;
  forListeners(): void;
  forCluster(): void;
  forDatagrams(socket: object): void;
  undo(): void;
}

export function makeHooks(context: HookContext): Hooks {
  const undos: Undo[] = [];
  const known = new Set<Hook>();
  let hasDatagrams = false;
  const once = (hooks: readonly Hook[]): (() => void) => {
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      undos.push(...installAll(hooks, context, known));
    };
  };
  const forSockets = once([
    ...SOCKET_HOOKS,
    ...(context.guards ? GUARD_HOOKS : []),
    ...(context.guards && !context.guardsOnly ? TUNING_HOOKS : []),
  ]);
  const forListeners = once([...LISTENER_HOOKS, ...REQUEST_HOOKS]);
  const forCluster = once(CLUSTER_HOOKS);
  return {
    forModules: once(MODULE_HOOKS),
    forSockets,
    forListeners() {
      forSockets();
      forListeners();
    },
    forCluster() {
      forSockets();
      forListeners();
      forCluster();
    },
    forDatagrams(socket) {
      if (hasDatagrams) return;
      hasDatagrams = true;
      const made = [tuneDatagrams(context, socket), batchDatagrams(context, socket)];
      undos.push(...made.filter((undo) => undo !== undefined));
    },
    undo() {
      undoAll(undos.splice(0))();
    },
  };
}
