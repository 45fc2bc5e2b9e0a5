/**
 * What runs at the start of every process that has the preload. It is kept small, as each process pays for it: the config is
 * read at once only where a variable is set, and all that acts on sockets and files is in the runtime, which is loaded when
 * the process first uses the network.
 */

import { dependsOn } from './app-manifest.js';
import type { EnvironmentConfig } from './config/config.js';
import { readEnvironment, takePrimaryMark } from './config/env.js';
import { debug, warnOnce } from './diagnostics.js';
import { type FirstUse, isInstalled, setInstalled, setListenedFor, watchFirstUse } from './first-use.js';
import { COMPRESSION, isCompression } from './hooks/files/compression-file.js';
import { takeClock } from './node/clock.js';
import { watchExports } from './node/patch/modules.js';

/** What `SOCKET_TUNE_STRICT` ends the process with: "Invalid Argument" of Node's exit codes. */
const EXIT_INVALID_ARGUMENT = 9;

function reportProblems({ problems, strict }: EnvironmentConfig): void {
  if (problems.length === 0) return;
  const messages = problems.map(loadConfig().describeProblem);
  if (strict) {
    process.stderr.write(messages.map((message) => `socket-tune: ${message}\n`).join(''));
    process.exit(EXIT_INVALID_ARGUMENT);
  }
  // Each worker thread runs the preload again, with the same environment.
  if (!process.getBuiltinModule('node:worker_threads').isMainThread) return;
  for (const message of messages) warnOnce('SOCKET_TUNE_BAD_VALUE', message, message);
}

/** Do something that must not fail the app, whatever happens: it runs untuned, and is told once. */
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

function watchCompression(exports: unknown): unknown {
  let watched = exports;
  guarded(() => {
    watched = loadRuntime().watchFactory(exports);
  });
  return watched;
}

interface LazyHooks extends FirstUse {
  /** The app has a package that is looked at when it is loaded. */
  forModules(): void;
  /** Its cluster's workers are to share ports. */
  forCluster(): void;
}

function lazyHooks(environment: () => EnvironmentConfig): LazyHooks {
  let hooks: LazyHooks | undefined;
  const made = (): LazyHooks => {
    const { config, asked } = environment();
    hooks ??= loadRuntime().hooksFor(config, asked);
    return hooks;
  };
  return {
    forModules: () =>
      guarded(() => {
        // Known by its file, it is waited for without the runtime.
        if (watchExports(isCompression, watchCompression) === undefined) made().forModules();
      }),
    forSockets: () => guarded(() => made().forSockets()),
    forListeners: () => guarded(() => made().forListeners()),
    forCluster: () => guarded(() => made().forCluster()),
    forDatagrams: (socket) => guarded(() => made().forDatagrams(socket)),
  };
}

/** Read the config, say what is wrong with it, and start what it wants started at once. */
function settle(variables: ReadonlyMap<string, string>): EnvironmentConfig {
  const environment = loadConfig().configFromEnvironment(variables);
  if (!environment.enabled) return environment;
  reportProblems(environment);
  if (environment.config.report !== 'off') loadRuntime().startReport(environment.config);
  return environment;
}

/** Put those hooks in place that cannot wait for their first use. */
function putInPlace(hooks: LazyHooks, config: EnvironmentConfig['config'] | undefined): void {
  if (config?.sendfile !== false && dependsOn(COMPRESSION)) hooks.forModules();
  if (config === undefined) return;
  // A socket can be made in ways that nobody is told of.
  if (config.connect !== undefined) hooks.forSockets();
  // Nor is anybody told of the first worker.
  if (loadConfig().sharesAnyPort(config)) hooks.forCluster();
}

/** Install by the environment. Never throws: the app must run. */
export function preload(): void {
  guarded(() => {
    if (isInstalled()) return;
    // Ahead of the app, which may replace it.
    takeClock();
    if (takePrimaryMark()) setListenedFor();
    const variables = readEnvironment();
    // Where nothing is set there is nothing to be wrong, and the defaults can wait for their use.
    let environment = variables.size === 0 ? undefined : settle(variables);
    if (environment?.enabled === false) return;
    setInstalled(true);
    const hooks = lazyHooks(() => {
      environment ??= settle(variables);
      return environment;
    });
    putInPlace(hooks, environment?.config);
    const { config } = environment ?? {};
    watchFirstUse(hooks, config === undefined || loadConfig().heedsServers(config));
    // Once the hooks are watched for, as it listens itself.
    if (config?.inspect !== undefined && config.inspect !== 'off') loadRuntime().startInspect(config);
  });
}
