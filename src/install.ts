import { hookContext } from './api/hook-context.js';
import { dependsOn } from './app-manifest.js';
import type { TuneConfig } from './config/config.js';
import { validateConfig } from './config/validate.js';
import { SocketTuneError } from './errors.js';
import { isInstalled, setInstalled, watchFirstUse } from './first-use.js';
import { type Hooks, makeHooks } from './hooks/index.js';
import type { OptionKey } from './options/table.js';
import { reportAtExit } from './report/report.js';

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
  const frozen = Object.freeze({ ...validateConfig(config) });
  const hooks = hooksFor(frozen, new Set());
  if (isInstalled()) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INSTALLED', 'socket-tune is installed in this thread already');
  }
  setInstalled(true);
  if (dependsOn('compression')) hooks.forModules();
  if (frozen.connect !== undefined) hooks.forSockets();
  const unwatch = watchFirstUse(hooks);
  const unreport = startReport(frozen);
  let isUndone = false;
  return () => {
    if (isUndone) return;
    isUndone = true;
    unwatch();
    unreport();
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
  return makeHooks(hookContext(config, asked));
}

/** Write the report when the process ends, if the config asks for one. Returns what calls it off. */
export function startReport({ report = 'off' }: TuneConfig): () => void {
  return report === 'off' ? () => undefined : reportAtExit(report);
}
