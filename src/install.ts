import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { hookContext } from './api/hook-context.js';
import {
  configFromEnvironment,
  describeProblem,
  type EnvironmentConfig,
  type TuneConfig,
  validateConfig,
} from './config/config.js';
import { readEnvironment } from './config/env.js';
import { debug, warnOnce } from './diagnostics.js';
import { SocketTuneError } from './errors.js';
import { type Hooks, makeHooks } from './hooks/index.js';
import { isNetLoaded } from './node-internals.js';
import type { OptionKey } from './options/table.js';
import { reportAtExit } from './report/report.js';

/** Node publishes these before it binds, and when a socket is made to connect: lib/net.js; Node's docs, diagnostics_channel. */
const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';
const CONNECT_CHANNEL = 'net.client.socket';

/**
 * Who is installed in this thread. Channels are one registry a thread, shared by all copies of this package, ESM or CommonJS,
 * of whatever version; a global would be seen by the app.
 */
const INSTALLED = Symbol.for('socket-tune:installed');
const registry = channel(INSTALLED);

function isInstalled(): boolean {
  return Reflect.get(registry, INSTALLED) === true;
}

/** Take all back that {@link install} did. Sockets keep the options that they were given. */
export type Uninstall = () => void;

/** Put the hooks in place when they are first needed: most of what a preload gets into (npm, compilers) never listens. */
function whenNeeded(hooks: Hooks): Uninstall {
  if (isNetLoaded()) {
    hooks.forListeners();
    return () => hooks.undo();
  }
  const onListen = (): void => hooks.forListeners();
  const onConnect = (): void => hooks.forSockets();
  subscribe(LISTEN_CHANNEL, onListen);
  subscribe(CONNECT_CHANNEL, onConnect);
  return () => {
    unsubscribe(LISTEN_CHANNEL, onListen);
    unsubscribe(CONNECT_CHANNEL, onConnect);
    hooks.undo();
  };
}

function installHooks(config: TuneConfig, asked: ReadonlySet<OptionKey>): Uninstall {
  Reflect.set(registry, INSTALLED, true);
  const uninstall = whenNeeded(makeHooks(hookContext(config, asked)));
  const { report = 'off' } = config;
  const unreport = report === 'off' ? undefined : reportAtExit(report);
  return () => {
    if (!isInstalled()) return;
    Reflect.set(registry, INSTALLED, false);
    unreport?.();
    uninstall();
  };
}

/**
 * Tune every listener, accepted socket and piped file of this thread from now on, as the preload does.
 *
 * @returns what takes it back. It may be called more than once.
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INSTALLED` if socket-tune is installed in this thread already, by the preload or an
 *   earlier call; `ERR_SOCKET_TUNE_INVALID_ARG` or `ERR_SOCKET_TUNE_INVALID_VALUE` for a config that is none.
 */
export function install(config: TuneConfig): Uninstall {
  const valid = validateConfig(config);
  if (isInstalled()) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INSTALLED', 'socket-tune is installed in this thread already');
  }
  return installHooks(valid, new Set());
}

/** What `SOCKET_TUNE_STRICT` ends the process with: "Invalid Argument" of Node's exit codes. */
const EXIT_INVALID_ARGUMENT = 9;

function reportProblems({ problems, strict }: EnvironmentConfig): void {
  const messages = problems.map(describeProblem);
  if (strict && messages.length > 0) {
    process.stderr.write(messages.map((message) => `socket-tune: ${message}\n`).join(''));
    process.exit(EXIT_INVALID_ARGUMENT);
  }
  for (const message of messages) warnOnce('SOCKET_TUNE_BAD_VALUE', message, message);
}

/** What the preload does: install by the environment. Never throws, whatever happens: the app must run. */
export function installFromEnvironment(): void {
  try {
    if (isInstalled()) return;
    const environment = configFromEnvironment(readEnvironment());
    if (!environment.enabled) return;
    reportProblems(environment);
    installHooks(environment.config, environment.asked);
  } catch (error) {
    debug('not installed: %o', error);
    warnOnce('SOCKET_TUNE_NOT_INSTALLED', 'install', `socket-tune is not active: ${String(error)}`);
  }
}
