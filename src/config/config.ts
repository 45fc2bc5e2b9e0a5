import { withoutPrototype } from '../node/own-properties.js';
import type { PresetName } from '../options/socket-option.js';
import { type OptionKey, sharesPort } from '../options/table.js';
import { PREFIX } from './env.js';
import { parseInspectAddress } from './inspect-address.js';
import { presetValues } from './presets.js';
import { type ConfigProblem, Reader } from './reader.js';
import { readScopes } from './scopes.js';
import { type BufferMode, type CorkMode, SENDFILE_DEFAULTS, type TuneConfig } from './tune-config.js';
import { MIN_RANGE, validateConfig, WINDOW_RANGE } from './validate.js';
import { type Parsed, parseBytes, parseSwitch, parseWord } from './values.js';

const CORK_MODES = ['auto', 'off'] as const satisfies readonly CorkMode[];

const BUFFER_MODES = ['floor', 'exact'] as const satisfies readonly BufferMode[];

/** All that the environment says. */
export interface EnvironmentConfig {
  /** `SOCKET_TUNE=off` makes this false. */
  readonly enabled: boolean;
  /** `SOCKET_TUNE_STRICT=on`: a problem ends the process. */
  readonly strict: boolean;
  readonly config: TuneConfig;
  /** Options that were set by their own variable: only for these is "not supported here" worth a warning. */
  readonly asked: ReadonlySet<OptionKey>;
  readonly problems: readonly ConfigProblem[];
}

/** The config that the environment asks for. Never throws: what is not understood is a problem in the result. */
export function configFromEnvironment(environment: ReadonlyMap<string, string>): EnvironmentConfig {
  const reader = new Reader(environment);
  const enabled = reader.read('SOCKET_TUNE', parseSwitch, true) ?? true;
  const strict = reader.read(`${PREFIX}STRICT`, parseSwitch, false) ?? false;
  const { general, ports, connect, asked } = readScopes(reader, validateConfig);
  const bytes = (range: readonly [number, number]) => (text: string) => parseBytes(text, range);
  const { min, window } = SENDFILE_DEFAULTS;
  const all: TuneConfig = {
    ...general,
    ...(Object.keys(ports).length > 0 && { ports }),
    ...(connect !== undefined && { connect }),
    bufferMode: reader.read(`${PREFIX}BUFFER_MODE`, (text) => parseWord(text, BUFFER_MODES), 'floor') ?? 'floor',
    sendfile: reader.read(`${PREFIX}SENDFILE`, parseSwitch, true) ?? true,
    sendfileMin: reader.read(`${PREFIX}SENDFILE_MIN`, bytes(MIN_RANGE), min) ?? min,
    sendfileWindow: reader.read(`${PREFIX}SENDFILE_WINDOW`, bytes(WINDOW_RANGE), window) ?? window,
    cork: reader.read(`${PREFIX}CORK`, (text) => parseWord(text, CORK_MODES), 'auto') ?? 'auto',
    inspect: reader.read(`${PREFIX}INSPECT`, inspectText, 'off') ?? 'off',
    report: reader.read(`${PREFIX}REPORT`, (text) => ({ value: text }), 'off') ?? 'off',
  };
  const config = Object.freeze(withoutPrototype(all));
  reader.reportUnknown();
  return { enabled, strict, config, asked, problems: reader.problems };
}

/** Keep the text, once it is known to be an address. */
function inspectText(text: string): Parsed<string> {
  const parsed = parseInspectAddress(text);
  return 'value' in parsed ? { value: text } : parsed;
}

/** One problem as the sentence that the user reads. */
export function describeProblem(problem: ConfigProblem): string {
  return `${problem.variable}='${problem.value}': expected ${problem.expected}; using ${problem.used} instead`;
}

/** Whether any listener is to have what an app may have said something of where it made the server (server-choice.ts). */
export function heedsServers({ ports = {}, ...values }: TuneConfig): boolean {
  return [values, ...Object.values(ports)].some(({ noDelay, keepAlive }) => noDelay || keepAlive);
}

/** Whether a config has listeners share a port, of whatever number. */
export function sharesAnyPort(config: TuneConfig): boolean {
  return [config, ...Object.values(config.ports ?? {})].some(sharesPort);
}

function presetConfig(preset: PresetName): TuneConfig {
  return Object.freeze({ ...presetValues(preset) });
}

/** Balanced: what suits most HTTP servers. Frozen; spread it to change a value: `{ ...defaultConfig(), fastOpen: 64 }`. */
export function defaultConfig(): TuneConfig {
  return presetConfig('default');
}

/** Least delay: dead peers are noticed sooner, nothing waits for the client's first data. Frozen. */
export function lowLatencyConfig(): TuneConfig {
  return presetConfig('lowlatency');
}

/** Most bytes: delayed ACKs stay, larger buffers where the kernel's own are smaller. Frozen. */
export function highThroughputConfig(): TuneConfig {
  return presetConfig('highthroughput');
}
