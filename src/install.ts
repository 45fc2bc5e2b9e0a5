import { activate, type Ending } from './activate.js';
import { hookContext } from './api/hook-context.js';
import { completeConfig } from './config/config.js';
import { takePrimaryMark } from './config/env.js';
import { keepAliveTimeOf } from './config/front.js';
import { parseInspectAddress } from './config/inspect-address.js';
import { SETTINGS } from './config/settings.js';
import type { TuneConfig } from './config/tune-config.js';
import { debug, warnOnce } from './diagnostics.js';
import { SocketTuneError } from './errors.js';
import { isInstalled, isListenedFor, setListenedFor } from './first-use.js';
import { exemptServer } from './hooks/exempt-server.js';
import { type Hooks, makeHooks } from './hooks/index.js';
import { Leaving } from './hooks/requests/leaving.js';
import { type EndingSignal, type SignalWatch, watchUnheardSignals } from './hooks/requests/unheard-signal.js';
import { platform, whenLoaded } from './native/index.js';
import { withoutPrototype } from './node/own-properties.js';
import type { OptionKey } from './options/table.js';
import { leavingRecord } from './report/leaving.js';
import { watchQueues } from './report/live/accept-queues.js';
import { watchConnections } from './report/live/connections.js';
import { watchOutgoing } from './report/live/outgoing.js';
import { sendTelemetry } from './report/metrics/open-telemetry.js';
import { reportAtExit, writeReport } from './report/report.js';
import { takeSnapshot } from './report/snapshot.js';

/** Takes back what {@link install} did. Sockets keep the options that were set on them. */
export type Uninstall = () => void;

/**
 * Tune every listener, accepted socket and piped file of this thread from now on, as the preload does.
 *
 * @returns what takes it back. It may be called more than once.
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INSTALLED`: socket-tune is installed in this thread already, by the preload or an
 *   earlier call. `ERR_SOCKET_TUNE_INVALID_ARG` or `ERR_SOCKET_TUNE_INVALID_VALUE`: the config is not valid.
 */
export function install(config: TuneConfig): Uninstall {
  // A copy, as the caller may change the object later.
  const frozen = Object.freeze(withoutPrototype(completeConfig(config)));
  if (isInstalled()) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INSTALLED', 'socket-tune is installed in this thread already');
  }
  if (takePrimaryMark()) setListenedFor();
  const hooks = hooksFor(frozen, new Set());
  const deactivate = activate(
    frozen,
    { ...hooks, startEnding, startInspect, forWorkers: loadNativeCalls },
    keepAliveTimeOf(frozen),
  );
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    deactivate();
    hooks.undo();
  };
}

/**
 * The hooks for a config.
 *
 * @param asked options that the user set by name
 */
export function hooksFor(config: TuneConfig, asked: ReadonlySet<OptionKey>): Hooks {
  const hooks = makeHooks(hookContext(config, asked, isListenedFor()));
  const { otel = SETTINGS.otel.default } = config;
  if (otel === 'off') return hooks;
  const stop = sendTelemetry(platform);
  return {
    ...hooks,
    undo() {
      stop();
      hooks.undo();
    },
  };
}

/** Serve a page about this process, and its metrics. Returns what closes it. */
export function startInspect(address: string): () => void {
  const parsed = parseInspectAddress(address);
  if (!('value' in parsed) || parsed.value === undefined) return () => undefined;
  // The variables of a worker thread are those of the main thread, which has the port.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) return () => undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  // Loaded on demand, as it needs http and the page.
  const { serve }: typeof import('./inspect/server.js') = createRequire(import.meta.url)('./inspect/server.js');
  const unwatch = [watchConnections(), watchQueues(), watchOutgoing()];
  const close = serve({
    ...parsed.value,
    snapshot: () => takeSnapshot(platform()),
    isReady: () => !leavingRecord.draining,
    exempt: exemptServer,
    onListening: (url) => debug('the page is at %s', url),
    onFailure: (error) =>
      warnOnce('SOCKET_TUNE_INSPECT', 'inspect', `nothing is served at ${address}: ${error.message}`),
  });
  return () => {
    close();
    for (const undo of unwatch) undo();
  };
}

/** Leave and report when the process ends, also by a signal. Returns what calls it off. */
export function startEnding({ report, leaving: times }: Ending): () => void {
  const callOff = report === undefined ? doNothing : reportAtExit(report);
  let watch: SignalWatch | undefined;
  const end = (signal: EndingSignal): void => {
    watch?.endBy(signal, () => {
      if (report !== undefined) writeReport(report);
      // Process 1 goes on after a signal that nobody handles, and reports at its end. One that has left ends now.
      if (times !== undefined) callOff();
    });
  };
  let leaving: Leaving | undefined;
  // Until the native calls are loaded there is nobody to leave, and nothing to report.
  const forget = whenLoaded(({ signals }) => {
    if (signals === undefined) return;
    leaving = times && new Leaving(times, end);
    watch = watchUnheardSignals(signals, (signal, isLast) => {
      if (leaving === undefined) end(signal);
      else leaving.onSignal(signal, isLast);
    });
  });
  return () => {
    callOff();
    forget();
    watch?.undo();
    leaving?.undo();
  };
}

/** Load what signals are watched by: see `forWorkers` of {@link Parts}. */
export function loadNativeCalls(): void {
  platform();
}

function doNothing(): void {
  // There is nothing to call off.
}
