import { describe, SocketTuneError } from '../errors.js';
import type { OptionValue, PresetName } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionRow, type OptionValues } from '../options/table.js';
import { PREFIX } from './env.js';
import { PRESET_NAMES, presetValues } from './presets.js';
import { LEFT_ALONE, type Parsed, parseBytes, parseOptionValue, parseSwitch, parseWord } from './values.js';

/** `floor`: buffer sizes are set only where the kernel's own ceiling is lower. `exact`: they are set always. */
export type BufferMode = 'floor' | 'exact';

/** What is to be done to sockets and files. An absent option is left as the kernel and Node have it. */
export interface TuneConfig extends OptionValues {
  /** Default: `floor`. */
  readonly bufferMode?: BufferMode;
  /** Send files by sendfile(2) where that makes no difference but speed. Default: on. */
  readonly sendfile?: boolean;
  /** Bytes; what is shorter is read and written as ever. Default: {@link SENDFILE_DEFAULTS}. */
  readonly sendfileMin?: number;
  /** Bytes that are given to the socket before Node's streams have their say again. Default: {@link SENDFILE_DEFAULTS}. */
  readonly sendfileWindow?: number;
  /** Where the report goes when the process ends: `off`, `exit` (standard error), or a file's path. Default: `off`. */
  readonly report?: string;
}

/** Measured by bench/file.ts: below the least size read+write is as cheap and takes no part in later changes of the file. */
export const SENDFILE_DEFAULTS = { min: 64 << 10, window: 512 << 10 } as const;

const BUFFER_MODES = ['floor', 'exact'] as const satisfies readonly BufferMode[];

const MIN_RANGE = [0, Number.MAX_SAFE_INTEGER] as const;
const WINDOW_RANGE = [64 << 10, 64 << 20] as const;
const FULL_RANGE = [0, 2 ** 31 - 1] as const;

/** A variable whose value was not understood, or that is not known. */
export interface ConfigProblem {
  readonly variable: string;
  readonly value: string;
  readonly expected: string;
  /** What is used instead. */
  readonly used: string;
}

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

/** Reads variables one by one, remembers which were asked for, and collects what was wrong with them. */
class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #environment: ReadonlyMap<string, string>;
  readonly #known = new Set<string>();

  constructor(environment: ReadonlyMap<string, string>) {
    this.#environment = environment;
  }

  read<T>(variable: string, parse: (text: string) => Parsed<T>, instead: unknown): T | undefined {
    this.#known.add(variable);
    const text = this.#environment.get(variable);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    this.problems.push({ variable, value: text, expected: parsed.expected, used: display(instead) });
    return undefined;
  }

  /** A value that is right in itself, and of no effect without something else. */
  reportVain(variable: string, expected: string): void {
    const value = this.#environment.get(variable) ?? '';
    this.problems.push({ variable, value, expected, used: 'nothing' });
  }

  reportUnknown(): void {
    for (const [variable, value] of this.#environment) {
      if (this.#known.has(variable)) continue;
      this.problems.push({ variable, value, expected: 'a variable that socket-tune knows', used: 'nothing' });
    }
  }
}

function display(value: unknown): string {
  if (value === undefined) return 'what the kernel has';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

function readOptions(reader: Reader, preset: PresetName): { values: OptionValues; asked: Set<OptionKey> } {
  const values: Partial<Record<OptionKey, OptionValue>> = { ...presetValues(preset) };
  const asked = new Set<OptionKey>();
  for (const row of OPTION_ROWS) {
    const parse = (text: string) => parseOptionValue(text, row.kind, row.range ?? FULL_RANGE);
    const value = reader.read(PREFIX + row.variable, parse, values[row.key]);
    if (value === undefined) continue;
    asked.add(row.key);
    if (value === LEFT_ALONE) delete values[row.key];
    else values[row.key] = value;
  }
  for (const row of OPTION_ROWS) {
    const needed = OPTION_ROWS.find((candidate) => candidate.key === row.requires);
    if (needed === undefined || !asked.has(row.key) || values[needed.key] === true) continue;
    reader.reportVain(PREFIX + row.variable, `${PREFIX}${needed.variable}=on beside it`);
  }
  // The keys and kinds came from the table that OptionValues is derived from; validateConfig holds every value against it.
  return { values: validateConfig(values), asked };
}

/** The config that the environment asks for. Never throws: what is not understood is a problem in the result. */
export function configFromEnvironment(environment: ReadonlyMap<string, string>): EnvironmentConfig {
  const reader = new Reader(environment);
  const enabled = reader.read('SOCKET_TUNE', parseSwitch, true) ?? true;
  const strict = reader.read(`${PREFIX}STRICT`, parseSwitch, false) ?? false;
  const preset = reader.read(`${PREFIX}PRESET`, (text) => parseWord(text, PRESET_NAMES), 'default') ?? 'default';
  const { values, asked } = readOptions(reader, preset);
  const bytes = (range: readonly [number, number]) => (text: string) => parseBytes(text, range);
  const { min, window } = SENDFILE_DEFAULTS;
  const config: TuneConfig = Object.freeze({
    ...values,
    bufferMode: reader.read(`${PREFIX}BUFFER_MODE`, (text) => parseWord(text, BUFFER_MODES), 'floor') ?? 'floor',
    sendfile: reader.read(`${PREFIX}SENDFILE`, parseSwitch, true) ?? true,
    sendfileMin: reader.read(`${PREFIX}SENDFILE_MIN`, bytes(MIN_RANGE), min) ?? min,
    sendfileWindow: reader.read(`${PREFIX}SENDFILE_WINDOW`, bytes(WINDOW_RANGE), window) ?? window,
    report: reader.read(`${PREFIX}REPORT`, (text) => ({ value: text }), 'off') ?? 'off',
  });
  reader.reportUnknown();
  return { enabled, strict, config, asked, problems: reader.problems };
}

/** One problem as the sentence that the user reads. */
export function describeProblem(problem: ConfigProblem): string {
  return `${problem.variable}='${problem.value}': expected ${problem.expected}; using ${problem.used} instead`;
}

const SETTINGS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['bufferMode', (value) => value === 'floor' || value === 'exact'],
  ['sendfile', (value) => typeof value === 'boolean'],
  ['sendfileMin', (value) => isWithin(value, MIN_RANGE)],
  ['sendfileWindow', (value) => isWithin(value, WINDOW_RANGE)],
  ['report', (value) => typeof value === 'string'],
]);

function isWithin(value: unknown, [least, greatest]: readonly [number, number]): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= greatest;
}

function optionAccepts(row: OptionRow, value: unknown): boolean {
  if (row.kind === 'flag') return typeof value === 'boolean';
  if (row.kind === 'rearm') return value === 'on' || value === 'once' || value === 'off';
  return isWithin(value, row.range ?? FULL_RANGE);
}

function expectation(row: OptionRow): string {
  if (row.kind === 'flag') return 'a boolean';
  if (row.kind === 'rearm') return "'on', 'once' or 'off'";
  const [least, greatest] = row.range ?? FULL_RANGE;
  return `a whole number of ${row.kind === 'count' ? 'units' : row.kind} from ${least} to ${greatest}`;
}

/**
 * A config given in code, checked.
 *
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG` if it is no object or has a property that no option has;
 *   `ERR_SOCKET_TUNE_INVALID_VALUE` if a value is of the wrong type or out of range.
 */
export function validateConfig(config: unknown): TuneConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `config must be an object, not ${describe(config)}`);
  }
  for (const [key, value] of Object.entries(config)) {
    if (value === undefined) continue;
    const row = OPTION_ROWS.find((candidate) => candidate.key === key);
    const accepts = row === undefined ? SETTINGS.get(key) : (candidate: unknown) => optionAccepts(row, candidate);
    if (accepts === undefined) {
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', `config.${key} is not an option of socket-tune`);
    }
    if (!accepts(value)) {
      const expected = row === undefined ? 'a value as documented' : expectation(row);
      const message = `config.${key} must be ${expected}, not ${describe(value)}`;
      throw new SocketTuneError('ERR_SOCKET_TUNE_INVALID_VALUE', message);
    }
  }
  return config;
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
