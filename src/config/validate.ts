import { describeValue, invalidArgument, SocketTuneError } from '../errors.js';
import { type Kind, kindOf, type Limits } from '../options/kinds.js';
import { isWithin } from '../options/quantity.js';
import { OPTION_ROWS } from '../options/table.js';
import { RAW } from './raw.js';
import { SETTINGS } from './settings.js';
import type { TuneConfig } from './tune-config.js';

/** What a property of a config may be. */
interface Property {
  readonly kind: Kind<unknown>;
  readonly limits: Limits;
}

/** The socket options: what `ports`, `connect` and `guard` may have. */
const OPTION_PROPERTIES: ReadonlyMap<string, Property> = new Map<string, Property>([
  ...OPTION_ROWS.map((row) => [row.key, { kind: kindOf(row), limits: row }] as const),
  ['raw', { kind: RAW, limits: {} }],
]);

/** The socket options and the settings. */
const CONFIG_PROPERTIES: ReadonlyMap<string, Property> = new Map<string, Property>([
  ...OPTION_PROPERTIES,
  ...Object.entries(SETTINGS).map(([key, setting]) => [key, { kind: setting.kind, limits: setting }] as const),
]);

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param path what the messages call the object */
function checkProperties(object: unknown, path: string, properties: ReadonlyMap<string, Property>): void {
  if (!isPlainObject(object)) throw invalidArgument(path, 'an object', object);
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const property = properties.get(key);
    if (property === undefined) {
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `${path}.${key} is not an option of socket-tune`);
    }
    const { kind, limits } = property;
    if (kind.accepts(value, limits)) continue;
    const message = `${path}.${key} must be ${kind.expected(limits)}, not ${describeValue(value)}`;
    throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_VALUE', message);
  }
}

/** @param path what the messages call them */
function checkPorts(ports: unknown, path: string): void {
  if (!isPlainObject(ports)) throw invalidArgument(path, 'an object with ports as its keys', ports);
  for (const [port, values] of Object.entries(ports)) {
    if (!isWithin(Number(port), [1, 65535])) {
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `${path} has '${port}', which is not a port`);
    }
    checkProperties(values, `${path}[${port}]`, OPTION_PROPERTIES);
  }
}

function checkConfig(config: unknown): asserts config is TuneConfig {
  if (!isPlainObject(config)) throw invalidArgument('config', 'an object', config);
  const { ports, connect, guard, connectPorts, ...rest }: Partial<Record<keyof TuneConfig, unknown>> = { ...config };
  if (ports !== undefined) checkPorts(ports, 'config.ports');
  if (connectPorts !== undefined) checkPorts(connectPorts, 'config.connectPorts');
  if (connect !== undefined) checkProperties(connect, 'config.connect', OPTION_PROPERTIES);
  if (guard !== undefined && guard !== 'off') checkProperties(guard, 'config.guard', OPTION_PROPERTIES);
  checkProperties(rest, 'config', CONFIG_PROPERTIES);
}

/**
 * A config given in code, checked.
 *
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`: no object, or a property that is not an option.
 *   `ERR_SOCKET_TUNE_INVALID_VALUE`: a value of the wrong type, or out of range.
 */
export function validateConfig(config: unknown): TuneConfig {
  checkConfig(config);
  return config;
}
