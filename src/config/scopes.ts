import type { OptionValue, PresetName } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionRow, type OptionValues, PLANNED_OPTIONS } from '../options/table.js';
import { PREFIX } from './env.js';
import { PRESET_NAMES, presetValues } from './presets.js';
import { parseRaw } from './raw.js';
import type { Reader } from './reader.js';
import { LEFT_ALONE, parseOptionValue, parseSwitch, parseWord } from './values.js';

const FULL_RANGE = [0, 2 ** 31 - 1] as const;

type Layer = Partial<Record<OptionKey, OptionValue | typeof LEFT_ALONE>>;

/** The options that the environment asks for, of each kind of socket. */
export interface Scopes {
  /** Listeners, and sockets of every kind that have no values of their own. */
  readonly general: OptionValues;
  /** Listeners on these ports, in place of the general values. */
  readonly ports: Readonly<Record<number, OptionValues>>;
  /** Outgoing sockets; undefined leaves them alone. */
  readonly connect: OptionValues | undefined;
  /** Options that were set by a variable of their own. */
  readonly asked: ReadonlySet<OptionKey>;
}

function readPreset(reader: Reader, prefix: string, instead: PresetName | undefined): PresetName | undefined {
  return reader.read(`${prefix}PRESET`, (text) => parseWord(text, PRESET_NAMES), instead);
}

/** The options that are set by name with this prefix. */
function readLayer(reader: Reader, prefix: string, rows: readonly OptionRow[], instead: OptionValues): Layer {
  const layer: Layer = {};
  for (const row of rows) {
    const parse = (text: string) => parseOptionValue(text, row, row.range ?? FULL_RANGE);
    const value = reader.read(prefix + row.variable, parse, instead[row.key]);
    if (value !== undefined) layer[row.key] = value;
  }
  return layer;
}

/** Values with layers upon them. The keys and kinds are those of the table that OptionValues is derived from. */
function layered(preset: PresetName, layers: readonly Layer[]): Record<string, OptionValue> {
  const values: Record<string, OptionValue> = presetValues(preset);
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value === LEFT_ALONE) delete values[key];
      else values[key] = value;
    }
  }
  return values;
}

/** Say of what is set by name and needs another option that this is missing. */
function reportVain(reader: Reader, prefix: string, layer: Layer, values: Readonly<Record<string, OptionValue>>): void {
  for (const row of OPTION_ROWS) {
    const needed = OPTION_ROWS.find((candidate) => candidate.key === row.requires);
    if (needed === undefined || !(row.key in layer) || values[needed.key] === true) continue;
    reader.reportVain(prefix + row.variable, `${prefix}${needed.variable}=on beside it`);
  }
}

function rowsOf(...targets: readonly string[]): OptionRow[] {
  return OPTION_ROWS.filter((row) => row.targets.some((target) => targets.includes(target)));
}

/**
 * Read the options of every scope. What is set by name outweighs a preset, and what is set for a port, or for outgoing sockets,
 * outweighs what is set for all.
 *
 * @param check turns what was read into values of the right types
 */
export function readScopes(reader: Reader, check: (values: object) => OptionValues): Scopes {
  const preset = readPreset(reader, PREFIX, 'default') ?? 'default';
  const layer = readLayer(reader, PREFIX, OPTION_ROWS, check(presetValues(preset)));
  const raw = reader.read(`${PREFIX}RAW`, parseRaw, 'none');
  const withRaw = raw === undefined ? {} : { raw };
  const general = layered(preset, [layer]);
  reportVain(reader, PREFIX, layer, general);
  const asked = new Set<OptionKey>();
  const note = (named: Layer): void => {
    for (const row of OPTION_ROWS) if (row.key in named) asked.add(row.key);
  };
  note(layer);

  const scoped = (prefix: string, rows: readonly OptionRow[]): OptionValues => {
    const own = readPreset(reader, prefix, preset) ?? preset;
    const named = readLayer(reader, prefix, rows, check(layered(own, [layer])));
    const values = layered(own, [layer, named]);
    reportVain(reader, prefix, named, values);
    note(named);
    return check({ ...values, ...withRaw });
  };

  const ports: Record<number, OptionValues> = {};
  for (const port of reader.ports()) ports[port] = scoped(`${PREFIX}PORT_${port}_`, rowsOf('listener', 'accepted'));
  const isConnecting = reader.read(`${PREFIX}CONNECT`, parseSwitch, false) === true;
  const outgoing = rowsOf('outgoing');
  const connect = isConnecting ? scoped(`${PREFIX}CONNECT_`, outgoing) : undefined;
  if (!isConnecting) {
    for (const variable of ['PRESET', ...outgoing.map((row) => row.variable)]) {
      reader.reportVain(`${PREFIX}CONNECT_${variable}`, `${PREFIX}CONNECT=on beside it`);
    }
  }
  for (const { variable } of PLANNED_OPTIONS) reader.reportVain(PREFIX + variable, 'a later version of socket-tune');
  return { general: check({ ...general, ...withRaw }), ports, connect, asked };
}
