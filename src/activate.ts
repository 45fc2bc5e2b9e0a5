import { dependsOn } from './app-manifest.js';
import type { TuneConfig } from './config/tune-config.js';
import { type FirstUse, setInstalled, watchFirstUse } from './first-use.js';
import { COMPRESSION_CARRIERS } from './hooks/files/compression-file.js';
import { answerWhileFastifyCloses, raiseFastifyDefault } from './hooks/requests/fastify.js';
import { raiseIdleTimes } from './hooks/requests/idle-time.js';
import { fsBinding } from './node/bindings.js';
import { isLoaded, PRIMARY_MODULE } from './node/modules.js';
import { holdCalls } from './node/patch/fs-binding.js';
import { afterBuiltin } from './node/patch/modules.js';
import { type Undo, undoAll } from './node/patch/replace.js';
import { heedsServers, sharesPort } from './options/listener-needs.js';

/** The hooks, by what makes them necessary. */
export interface HookGroups extends FirstUse {
  /** The app has a package that is replaced as it is loaded. */
  forModules(): void;
  /** The workers of this cluster are to share ports. */
  forCluster(): void;
}

/** In milliseconds. */
interface LeavingTimes {
  readonly delay: number;
  readonly drain: number;
}

/** What is done when the process ends. */
export interface Ending {
  /** Where the report goes; undefined writes none. */
  readonly report: string | undefined;
  /** How long a process that is told to end goes on accepting, and has to finish its connections then; undefined: not at all. */
  readonly leaving: LeavingTimes | undefined;
}

/** The parts of an installation. The preload loads each on its first use. */
export interface Parts extends HookGroups {
  /** Returns what calls off what is done when the process ends. */
  startEnding(ending: Ending): () => void;
  /** This process is a cluster's primary, and has workers to take leave of. */
  forWorkers(): void;
  /** Returns what closes the page. */
  startInspect(address: string): () => void;
}

function doNothing(): void {
  // There is nothing to take back.
}

/** Node's modules take some calls for themselves when they are loaded, so this must come before the app. */
function holdFsCalls(): void {
  const binding = fsBinding();
  if (binding !== undefined) holdCalls(binding);
}

/** An app makes its servers, and loads its framework, before it listens. */
function prepareFrameworks(keepAliveTime: number | undefined, drains: boolean): Undo {
  return undoAll([
    ...(keepAliveTime === undefined ? [] : [raiseIdleTimes(keepAliveTime), raiseFastifyDefault(keepAliveTime)]),
    ...(drains ? [answerWhileFastifyCloses()] : []),
  ]);
}

/**
 * Call `then` when this process becomes the primary of a cluster. It may have no listener of its own: its workers may listen by themselves
 * (SCHED_NONE, or `exclusive`).
 */
function whenPrimary(then: () => void): Undo {
  if (!isLoaded(PRIMARY_MODULE)) return afterBuiltin(PRIMARY_MODULE, then);
  then();
  return doNothing;
}

function prepareEnding(parts: Parts, ending: Ending): Undo {
  if (ending.report === undefined && ending.leaving === undefined) return doNothing;
  const callOff = parts.startEnding(ending);
  const forget = ending.leaving === undefined ? doNothing : whenPrimary(() => parts.forWorkers());
  return undoAll([callOff, forget]);
}

/**
 * Install the parts of a config in this thread: at once what cannot wait, the others when the process first uses the network.
 *
 * @param config undefined: the default one, which is read later
 * @param keepAliveTime milliseconds that http servers are to keep idle connections; undefined leaves that to Node and the app
 * @returns what takes it back, except for the hooks
 */
export function activate(config: TuneConfig | undefined, parts: Parts, keepAliveTime?: number): () => void {
  const { sendfile = true, fs = 'auto', connect, guard, ports = {}, report = 'off', inspect = 'off' } = config ?? {};
  const { drain = 'off', drainDelay = 0 } = config ?? {};
  const listeners = config === undefined ? [] : [config, ...Object.values(ports)];
  setInstalled(true);
  if (fs === 'auto') holdFsCalls();
  if (sendfile && dependsOn(...COMPRESSION_CARRIERS)) parts.forModules();
  // Some ways to make a socket are not announced.
  if (connect !== undefined) parts.forSockets();
  // Nor is the first worker.
  if (listeners.some(sharesPort)) parts.forCluster();
  const unwatch = watchFirstUse(parts, {
    servers: config === undefined || listeners.some(heedsServers),
    connections: connect !== undefined || guard !== 'off',
  });
  const leaveFrameworks = prepareFrameworks(keepAliveTime, drain !== 'off');
  const ending = {
    report: report === 'off' ? undefined : report,
    leaving: drain === 'off' ? undefined : { delay: drainDelay, drain },
  };
  const callOffEnding = prepareEnding(parts, ending);
  // After the watch has begun, as the page needs a listener.
  const closePage = inspect === 'off' ? doNothing : parts.startInspect(inspect);
  return () => {
    unwatch();
    leaveFrameworks();
    callOffEnding();
    closePage();
    setInstalled(false);
  };
}
