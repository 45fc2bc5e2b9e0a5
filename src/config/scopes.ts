import type { OptionValue } from '../options/kinds.js';
import type { OptionTarget, PresetName } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionRow, type OptionValues, PLANNED_OPTIONS } from '../options/table.js';
import { PREFIX } from './env.js';
import { LEFT_ALONE, parseOptionText } from './option-text.js';
import { presetValues } from './presets.js';
import { RAW } from './raw.js';
import type { Reader } from './reader.js';
import { ENVIRONMENT_SETTINGS } from './settings.js';

/** Options that have a variable of their own, in one scope. */
type Layer = Partial<Record<OptionKey, OptionValue | typeof LEFT_ALONE>>;

/** The options that the environment asks for, by kind of socket. */
export interface Scopes {
  /** Of listeners, and of every kind of socket without values of its own. */
  readonly general: OptionValues;
  /** Of the listeners on these ports, in place of the general values. */
  readonly ports: Readonly<Record<number, OptionValues>>;
  /** Of outgoing sockets. Undefined: they are left alone. */
  readonly connect: OptionValues | undefined;
  /** Options that were set by a variable of their own, in any scope. */
  readonly asked: ReadonlySet<OptionKey>;
}

function readPreset(reader: Reader, prefix: string, otherwise: PresetName): PresetName {
  return reader.readSetting({ ...ENVIRONMENT_SETTINGS.preset, variable: `${prefix}PRESET`, default: otherwise });
}

/** @param instead what is used in place of values that are not understood */
function readLayer(reader: Reader, prefix: string, rows: readonly OptionRow[], instead: OptionValues): Layer {
  const layer: Layer = {};
  for (const row of rows) {
    const value = reader.read(prefix + row.variable, (text) => parseOptionText(text, row), instead[row.key]);
    if (value !== undefined) layer[row.key] = value;
  }
  return layer;
}

/** The values of a preset with layers upon them. The last layer outweighs the others. */
function layered(preset: PresetName, layers: readonly Layer[]): Record<string, OptionValue> {
  const values = presetValues(preset);
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      if (value === LEFT_ALONE) delete values[key];
      else values[key] = value;
    }
  }
  return values;
}

/** Report the options of a layer that need another option, where that one is off. */
function reportUnmet(
  reader: Reader,
  prefix: string,
  layer: Layer,
  values: Readonly<Record<string, OptionValue>>,
): void {
  for (const row of OPTION_ROWS) {
    const needed = OPTION_ROWS.find((candidate) => candidate.key === row.requires);
    if (needed === undefined || !(row.key in layer) || values[needed.key] === true) continue;
    reader.reportIneffective(prefix + row.variable, `${prefix}${needed.variable}=on beside it`);
  }
}

/** Report the variables of a scope that is switched off. */
function reportUnused(reader: Reader, prefix: string, rows: readonly OptionRow[], expected: string): void {
  for (const variable of ['PRESET', ...rows.map((row) => row.variable)]) {
    reader.reportIneffective(prefix + variable, expected);
  }
}

function rowsOf(...targets: readonly OptionTarget[]): OptionRow[] {
  return OPTION_ROWS.filter((row) => row.targets.some((target) => targets.includes(target)));
}

/**
 * Read the options of every scope. A variable of an option outweighs a preset. One for a port, or for outgoing sockets, outweighs one
 * for all.
 *
 * @param check turns what was read into values of the right types
 */
export function readScopes(reader: Reader, check: (values: object) => OptionValues): Scopes {
  const preset = readPreset(reader, PREFIX, ENVIRONMENT_SETTINGS.preset.default);
  const layer = readLayer(reader, PREFIX, OPTION_ROWS, check(presetValues(preset)));
  const raw = reader.read(`${PREFIX}RAW`, (text) => RAW.parse(text, {}), 'none');
  const withRaw = raw === undefined ? {} : { raw };
  const general = layered(preset, [layer]);
  reportUnmet(reader, PREFIX, layer, general);
  const layers = [layer];

  const readScope = (prefix: string, rows: readonly OptionRow[]): OptionValues => {
    const own = readPreset(reader, prefix, preset);
    const scopeLayer = readLayer(reader, prefix, rows, check(layered(own, [layer])));
    const values = layered(own, [layer, scopeLayer]);
    reportUnmet(reader, prefix, scopeLayer, values);
    layers.push(scopeLayer);
    return check({ ...values, ...withRaw });
  };

  const ports: Record<number, OptionValues> = {};
  for (const port of reader.ports()) ports[port] = readScope(`${PREFIX}PORT_${port}_`, rowsOf('listener', 'accepted'));
  const connectPrefix = `${PREFIX}CONNECT_`;
  const outgoing = rowsOf('outgoing');
  const connects = reader.readSetting(ENVIRONMENT_SETTINGS.connect);
  const connect = connects ? readScope(connectPrefix, outgoing) : undefined;
  if (!connects) reportUnused(reader, connectPrefix, outgoing, `${PREFIX}CONNECT=on beside it`);
  for (const { variable } of PLANNED_OPTIONS) {
    reader.reportIneffective(PREFIX + variable, 'a later version of socket-tune');
  }
  const asked = new Set(OPTION_ROWS.map((row) => row.key).filter((key) => layers.some((each) => key in each)));
  return { general: check({ ...general, ...withRaw }), ports, connect, asked };
}
