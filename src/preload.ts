/**
 * Runs at the start of every process that has the preload, so it must stay small. The config is read at once only where a variable is
 * set. All that acts on sockets and files is the runtime, which is loaded when the process first uses the network.
 */

import { activate, type HookGroups, type Parts } from './activate.js';
import type { EnvironmentConfig } from './config/config.js';
import { readEnvironment, takePrimaryMark } from './config/env.js';
import { debug, warnOnce } from './diagnostics.js';
import { isInstalled, setListenedFor } from './first-use.js';
import { isCompression } from './hooks/files/compression-file.js';
import { takeClock } from './node/clock.js';
import { watchExports } from './node/patch/modules.js';

/** The exit code with `SOCKET_TUNE_STRICT`: "Invalid Argument" of Node's exit codes. */
const EXIT_INVALID_ARGUMENT = 9;

/** Never fails the app: after an error it runs untuned, with one warning. */
function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    debug('not active: %o', error);
    warnOnce('SOCKET_TUNE_NOT_ACTIVE', 'preload', `socket-tune is not active: ${String(error)}`);
  }
}

/** A require(), as listen() cannot wait for an import. Every Node that we support can require ES modules. */
function ownRequire(): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url);
}

function loadConfig(): typeof import('./config/config.js') {
  return ownRequire()('./config/config.js');
}

function loadRuntime(): typeof import('./runtime.js') {
  return ownRequire()('./runtime.js');
}

function reportProblems({ problems, strict }: EnvironmentConfig): void {
  if (problems.length === 0) return;
  const messages = problems.map(loadConfig().describeProblem);
  if (strict) {
    process.stderr.write(messages.map((message) => `socket-tune: ${message}\n`).join(''));
    process.exit(EXIT_INVALID_ARGUMENT);
  }
  // A worker thread runs the preload again, with the same environment.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) return;
  for (const message of messages) warnOnce('SOCKET_TUNE_BAD_VALUE', message, message);
}

/** Read the config, and report what is wrong with it. */
function loadEnvironment(variables: ReadonlyMap<string, string>): EnvironmentConfig {
  const environment = loadConfig().configFromEnvironment(variables);
  if (environment.enabled) reportProblems(environment);
  return environment;
}

function watchCompression(exports: unknown): unknown {
  let watched = exports;
  guarded(() => {
    watched = loadRuntime().watchFactory(exports);
  });
  return watched;
}

/** The parts of the runtime, which each of them loads. */
function lazyParts(environment: () => EnvironmentConfig): Parts {
  let hooks: HookGroups | undefined;
  const made = (): HookGroups => {
    const { config, asked } = environment();
    hooks ??= loadRuntime().hooksFor(config, asked);
    return hooks;
  };
  return {
    forModules: () =>
      guarded(() => {
        // The package is known by its file, so the runtime can wait until it is loaded.
        if (watchExports(isCompression, watchCompression) === undefined) made().forModules();
      }),
    forSockets: () => guarded(() => made().forSockets()),
    forListeners: () => guarded(() => made().forListeners()),
    forCluster: () => guarded(() => made().forCluster()),
    forDatagrams: (socket) => guarded(() => made().forDatagrams(socket)),
    forWorkers: () => guarded(() => loadRuntime().loadNativeCalls()),
    startEnding: (ending) => loadRuntime().startEnding(ending),
    startInspect: (address) => loadRuntime().startInspect(address),
  };
}

/** Install by the environment. Never throws: the app must run. */
export function preload(): void {
  guarded(() => {
    if (isInstalled()) return;
    // Before the app, which may replace it.
    takeClock();
    if (takePrimaryMark()) setListenedFor();
    const variables = readEnvironment();
    // Without variables there can be no problem, and the defaults are read on their first use.
    let environment = variables.size === 0 ? undefined : loadEnvironment(variables);
    if (environment?.enabled === false) return;
    const parts = lazyParts(() => {
      environment ??= loadEnvironment(variables);
      return environment;
    });
    activate(environment?.config, parts, environment?.keepAliveTime);
  });
}
