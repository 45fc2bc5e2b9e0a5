import { describe, SocketTuneError } from '../errors.js';
import { RAW_PHASES } from '../options/raw-option.js';
import type { OptionRow } from '../options/table.js';
import { OPTION_ROWS } from '../options/table.js';
import { parseInspectAddress } from './inspect-address.js';
import type { TuneConfig } from './tune-config.js';
import { NAME } from './values.js';

export const MIN_RANGE = [0, Number.MAX_SAFE_INTEGER] as const;
export const WINDOW_RANGE = [64 << 10, 64 << 20] as const;
const FULL_RANGE = [0, 2 ** 31 - 1] as const;

function isWithin(value: unknown, [least, greatest]: readonly [number, number]): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= greatest;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRaw(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { level, name, value: int, phase } = { level: 0, name: 0, value: 0, phase: undefined, ...value };
  return [level, name, int].every(Number.isInteger) && RAW_PHASES.some((known) => known === phase);
}

interface Setting {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

/** What a config may hold besides the options of the table. */
const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ['bufferMode', { expected: "'floor' or 'exact'", accepts: (value) => value === 'floor' || value === 'exact' }],
  ['cork', { expected: "'auto' or 'off'", accepts: (value) => value === 'auto' || value === 'off' }],
  ['sendfile', { expected: 'a boolean', accepts: (value) => typeof value === 'boolean' }],
  ['sendfileMin', { expected: 'a whole number of bytes from 0', accepts: (value) => isWithin(value, MIN_RANGE) }],
  [
    'sendfileWindow',
    {
      expected: `a whole number of bytes from ${WINDOW_RANGE.join(' to ')}`,
      accepts: (value) => isWithin(value, WINDOW_RANGE),
    },
  ],
  [
    'inspect',
    {
      expected: "'off', or an address and a port such as '127.0.0.1:9465'",
      accepts: (value) => typeof value === 'string' && 'value' in parseInspectAddress(value),
    },
  ],
  ['report', { expected: "'off', 'exit' or a path", accepts: (value) => typeof value === 'string' }],
]);

const RAW: Setting = {
  expected: `an array of { level, name, value, phase }, with whole numbers and a phase of ${RAW_PHASES.join(', ')}`,
  accepts: (value) => Array.isArray(value) && value.every(isRaw),
};

function optionAccepts(row: OptionRow, value: unknown): boolean {
  if (row.kind === 'flag') return typeof value === 'boolean';
  if (row.kind === 'rearm') return value === 'on' || value === 'once' || value === 'off';
  if (row.kind === 'share') return value === 'on' || value === 'cpu' || value === 'off';
  if (row.kind === 'name') return typeof value === 'string' && NAME.test(value);
  return isWithin(value, row.range ?? FULL_RANGE);
}

function expectation(row: OptionRow): string {
  if (row.kind === 'flag') return 'a boolean';
  if (row.kind === 'rearm') return "'on', 'once' or 'off'";
  if (row.kind === 'share') return "'on', 'cpu' or 'off'";
  if (row.kind === 'name') return 'a name of up to 15 letters, digits, - and _';
  const [least, greatest] = row.range ?? FULL_RANGE;
  return `a whole number of ${row.kind === 'count' ? 'units' : row.kind} from ${least} to ${greatest}`;
}

function settingFor(key: string, settings: ReadonlyMap<string, Setting>): Setting | undefined {
  if (key === 'raw') return RAW;
  const row = OPTION_ROWS.find((candidate) => candidate.key === key);
  if (row === undefined) return settings.get(key);
  return { expected: expectation(row), accepts: (value) => optionAccepts(row, value) };
}

/** Check an object of options and of some settings; `path` is what the messages call it. */
function checkObject(
  config: unknown,
  path: string,
  settings: ReadonlyMap<string, Setting>,
): asserts config is TuneConfig {
  if (!isObject(config)) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `${path} must be an object, not ${describe(config)}`);
  }
  for (const [key, value] of Object.entries(config)) {
    if (value === undefined) continue;
    const setting = settingFor(key, settings);
    if (setting === undefined) {
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `${path}.${key} is not an option of socket-tune`);
    }
    if (!setting.accepts(value)) {
      const message = `${path}.${key} must be ${setting.expected}, not ${describe(value)}`;
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_VALUE', message);
    }
  }
}

const NO_SETTINGS: ReadonlyMap<string, Setting> = new Map();

function checkPorts(ports: unknown): void {
  if (!isObject(ports)) {
    throw new SocketTuneError(
      'ERR_SOCKET_TUNE_INVALID_ARG',
      `config.ports must be an object with ports as its keys, not ${describe(ports)}`,
    );
  }
  for (const [port, values] of Object.entries(ports)) {
    if (!isWithin(Number(port), [1, 65535])) {
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `config.ports has '${port}', which is not a port`);
    }
    checkObject(values, `config.ports[${port}]`, NO_SETTINGS);
  }
}

/**
 * A config given in code, checked.
 *
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG` if it is no object or has a property that no option has;
 *   `ERR_SOCKET_TUNE_INVALID_VALUE` if a value is of the wrong type or out of range.
 */
export function validateConfig(config: unknown): TuneConfig {
  if (!isObject(config)) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `config must be an object, not ${describe(config)}`);
  }
  const { ports, connect, ...rest }: { ports?: unknown; connect?: unknown } = { ...config };
  if (ports !== undefined) checkPorts(ports);
  if (connect !== undefined) checkObject(connect, 'config.connect', NO_SETTINGS);
  checkObject(rest, 'config', SETTINGS);
  return config;
}
