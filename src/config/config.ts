import { withoutPrototype } from '../node/own-properties.js';
import { withDeadPeer } from '../options/dead-peer.js';
import type { PresetName } from '../options/socket-option.js';
import type { OptionKey, OptionValues } from '../options/table.js';
import { keepAliveTimeOf } from './front.js';
import { presetValues } from './presets.js';
import { type ConfigProblem, Reader } from './reader.js';
import { type AllSources, readScopes } from './scopes.js';
import { ENVIRONMENT_SETTINGS, SETTINGS } from './settings.js';
import type { TuneConfig } from './tune-config.js';
import { validateConfig } from './validate.js';

/** All that the environment says. */
export interface EnvironmentConfig {
  /** `SOCKET_TUNE=off` makes this false. */
  readonly enabled: boolean;
  /** `SOCKET_TUNE_STRICT=on`: a problem ends the process. */
  readonly strict: boolean;
  readonly config: TuneConfig;
  /** The least `keepAliveTimeout` of http servers, in milliseconds, by `SOCKET_TUNE_BEHIND`. */
  readonly keepAliveTime: number | undefined;
  /** Options that have a variable of their own. Only of these a user is told that the system does not have them. */
  readonly asked: ReadonlySet<OptionKey>;
  /** What the values of each scope are made of, for whoever explains them. */
  readonly sources: AllSources;
  readonly problems: readonly ConfigProblem[];
}

/** The config that the environment asks for. Never throws: a value that is not understood is one of the problems. */
export function configFromEnvironment(environment: ReadonlyMap<string, string>): EnvironmentConfig {
  const reader = new Reader(environment);
  const enabled = reader.readSetting(ENVIRONMENT_SETTINGS.enabled);
  const strict = reader.readSetting(ENVIRONMENT_SETTINGS.strict);
  const { general, ports, connect, guard, connectPorts, asked, sources } = readScopes(reader, validateConfig);
  const settings = Object.entries(SETTINGS).map(([key, setting]) => [key, reader.readSetting<unknown>(setting)]);
  const config = validateConfig({
    ...general,
    ...(Object.keys(ports).length > 0 && { ports }),
    ...(connect !== undefined && { connect }),
    ...(guard !== undefined && { guard }),
    ...(Object.keys(connectPorts).length > 0 && { connectPorts }),
    ...Object.fromEntries(settings),
  });
  if (config.drain === 'off')
    reader.reportIneffective(SETTINGS.drainDelay.variable, `${SETTINGS.drain.variable} beside it`);
  reader.reportUnknown();
  return {
    enabled,
    strict,
    config: Object.freeze(withoutPrototype(config)),
    keepAliveTime: keepAliveTimeOf(config),
    asked,
    sources,
    problems: reader.problems,
  };
}

function byPort(ports: Readonly<Record<number, OptionValues>>): Readonly<Record<number, OptionValues>> {
  return Object.fromEntries(Object.entries(ports).map(([port, values]) => [port, withDeadPeer(values)]));
}

/**
 * A config given in code, checked, with the options that its times for dead peers imply.
 *
 * @throws {SocketTuneError} see {@link validateConfig}
 */
export function completeConfig(config: unknown): TuneConfig {
  const checked = validateConfig(config);
  const { ports, connect, guard, connectPorts } = checked;
  return {
    ...withDeadPeer(checked),
    ...(ports !== undefined && { ports: byPort(ports) }),
    ...(connect !== undefined && { connect: withDeadPeer(connect) }),
    ...(guard !== undefined && { guard: guard === 'off' ? guard : withDeadPeer(guard) }),
    ...(connectPorts !== undefined && { connectPorts: byPort(connectPorts) }),
  };
}

/** A problem as the user reads it. */
export function describeProblem(problem: ConfigProblem): string {
  return `${problem.variable}='${problem.value}': expected ${problem.expected}; using ${problem.used} instead`;
}

function presetConfig(preset: PresetName): TuneConfig {
  return Object.freeze({ ...presetValues(preset) });
}

/** Values for most HTTP servers. Frozen: spread it to change a value, as in `{ ...defaultConfig(), fastOpen: 64 }`. */
export function defaultConfig(): TuneConfig {
  return presetConfig('default');
}

/** Values for the least delay: dead peers are noticed sooner, and listeners do not wait for a client's first data. Frozen. */
export function lowLatencyConfig(): TuneConfig {
  return presetConfig('lowlatency');
}

/** Values for the highest throughput: ACKs stay delayed, and buffers are at least 1 MB. Frozen. */
export function highThroughputConfig(): TuneConfig {
  return presetConfig('highthroughput');
}
