/**
 * What runs at the start of every process that has the preload. It is kept small, as each process pays for it; all that acts
 * on sockets and files is in the runtime, which is loaded when the process first uses the network.
 */
import { configFromEnvironment, describeProblem, type EnvironmentConfig } from './config/config.js';
import { readEnvironment } from './config/env.js';
import { debug, warnOnce } from './diagnostics.js';
import { type FirstUse, isInstalled, setInstalled, watchFirstUse } from './first-use.js';

/** What `SOCKET_TUNE_STRICT` ends the process with: "Invalid Argument" of Node's exit codes. */
const EXIT_INVALID_ARGUMENT = 9;

function reportProblems({ problems, strict }: EnvironmentConfig): void {
  const messages = problems.map(describeProblem);
  if (strict && messages.length > 0) {
    process.stderr.write(messages.map((message) => `socket-tune: ${message}\n`).join(''));
    process.exit(EXIT_INVALID_ARGUMENT);
  }
  // Each worker thread runs the preload again, with the same environment.
  if (messages.length === 0 || !process.getBuiltinModule('node:worker_threads').isMainThread) return;
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

/** The runtime, by a require(): listen() cannot wait for an import. Every Node that we support can require ES modules. */
function loadRuntime(): typeof import('./runtime.js') {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url)('./runtime.js');
}

function lazyHooks({ config, asked }: EnvironmentConfig): FirstUse {
  let hooks: FirstUse | undefined;
  const load = (): FirstUse => {
    hooks ??= loadRuntime().hooksFor(config, asked);
    return hooks;
  };
  return {
    forSockets: () => guarded(() => load().forSockets()),
    forListeners: () => guarded(() => load().forListeners()),
  };
}

/** Install by the environment. Never throws: the app must run. */
export function preload(): void {
  guarded(() => {
    if (isInstalled()) return;
    const environment = configFromEnvironment(readEnvironment());
    if (!environment.enabled) return;
    reportProblems(environment);
    setInstalled(true);
    if (environment.config.report !== 'off') loadRuntime().startReport(environment.config);
    watchFirstUse(lazyHooks(environment));
  });
}
