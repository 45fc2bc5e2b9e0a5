import { hookContext } from './api/hook-context.js';
import { dependsOn } from './app-manifest.js';
import { heedsServers, sharesAnyPort } from './config/config.js';
import { takePrimaryMark } from './config/env.js';
import { parseInspectAddress } from './config/inspect-address.js';
import type { TuneConfig } from './config/tune-config.js';
import { validateConfig } from './config/validate.js';
import { debug, warnOnce } from './diagnostics.js';
import { SocketTuneError } from './errors.js';
import { isInstalled, isListenedFor, setInstalled, setListenedFor, watchFirstUse } from './first-use.js';
import { COMPRESSION } from './hooks/files/compression-file.js';
import { type Hooks, makeHooks } from './hooks/index.js';
import { type SignalWatch, watchUnheardSignals } from './hooks/requests/unheard-signal.js';
import { exemptServer } from './hooks/sockets/listener.js';
import { platform, whenLoaded } from './native/index.js';
import { withoutPrototype } from './node/own-properties.js';
import type { OptionKey } from './options/table.js';
import { watchConnections } from './report/live-connections.js';
import { reportAtExit, writeReport } from './report/report.js';
import { takeSnapshot } from './report/snapshot.js';

/** Take all back that {@link install} did. Sockets keep the options that they were given. */
export type Uninstall = () => void;

/**
 * Tune every listener, accepted socket and piped file of this thread from now on, as the preload does.
 *
 * @returns what takes it back. It may be called more than once.
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INSTALLED` if socket-tune is installed in this thread already, by the preload or an
 *   earlier call; `ERR_SOCKET_TUNE_INVALID_ARG` or `ERR_SOCKET_TUNE_INVALID_VALUE` for a config that is none.
 */
export function install(config: TuneConfig): Uninstall {
  // What the caller does to the object later is nobody's business.
  const frozen = Object.freeze(withoutPrototype(validateConfig(config)));
  if (isInstalled()) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INSTALLED', 'socket-tune is installed in this thread already');
  }
  if (takePrimaryMark()) setListenedFor();
  const hooks = hooksFor(frozen, new Set());
  setInstalled(true);
  if (dependsOn(COMPRESSION)) hooks.forModules();
  if (frozen.connect !== undefined) hooks.forSockets();
  if (sharesAnyPort(frozen)) hooks.forCluster();
  const unwatch = watchFirstUse(hooks, heedsServers(frozen));
  const unreport = startReport(frozen);
  const uninspect = startInspect(frozen);
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    unwatch();
    unreport();
    uninspect();
    hooks.undo();
    setInstalled(false);
  };
}

/**
 * The hooks for a config.
 *
 * @param asked options that the user set by name
 */
export function hooksFor(config: TuneConfig, asked: ReadonlySet<OptionKey>): Hooks {
  return makeHooks(hookContext(config, asked, isListenedFor()));
}

/** Serve what there is to see of this process, if the config asks for it. Returns what ends that. */
export function startInspect({ inspect = 'off' }: TuneConfig): () => void {
  const parsed = parseInspectAddress(inspect);
  if (!('value' in parsed) || parsed.value === undefined) return () => undefined;
  // A worker thread would have to have a port of its own, and its main thread has the same variables.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) return () => undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  // http and the page are loaded only where somebody wants to look.
  const { serve }: typeof import('./inspect/server.js') = createRequire(import.meta.url)('./inspect/server.js');
  const unwatch = watchConnections();
  const close = serve({
    ...parsed.value,
    snapshot: () => takeSnapshot(platform()),
    exempt: exemptServer,
    onListening: (url) => debug('to be seen at %s', url),
    onFailure: (error) =>
      warnOnce('SOCKET_TUNE_INSPECT', 'inspect', `nothing is served at ${inspect}: ${error.message}`),
  });
  return () => {
    close();
    unwatch();
  };
}

/** Write the report when the process ends, also by a signal, if the config asks for one. Returns what calls it off. */
export function startReport({ report = 'off' }: TuneConfig): () => void {
  if (report === 'off') return () => undefined;
  const callOff = reportAtExit(report);
  let watch: SignalWatch | undefined;
  // Before that there is nothing to report.
  const forget = whenLoaded(({ signals }) => {
    watch = signals && watchUnheardSignals(signals, (signal) => watch?.endBy(signal, () => writeReport(report)));
  });
  return () => {
    callOff();
    forget();
    watch?.undo();
  };
}
