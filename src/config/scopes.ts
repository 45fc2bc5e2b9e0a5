import { impliedByDeadPeer } from '../options/dead-peer.js';
import { kindOf, type OptionValue } from '../options/kinds.js';
import type { OptionTarget, PresetName } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionKey, type OptionRow, type OptionValues, PLANNED_OPTIONS } from '../options/table.js';
import { PREFIX } from './env.js';
import { LEFT_ALONE, parseOptionText } from './option-text.js';
import { guardOf } from './outgoing.js';
import { presetValues } from './presets.js';
import { RAW } from './raw.js';
import type { Reader } from './reader.js';
import { ENVIRONMENT_SETTINGS } from './settings.js';

/** Options that have a variable of their own, in one scope. */
type Layer = Partial<Record<OptionKey, OptionValue | typeof LEFT_ALONE>>;

/** What the values of a scope are made of. */
export interface ScopeSources {
  readonly preset: PresetName;
  /** By the prefix of their variables. The last one outweighs the others. */
  readonly layers: ReadonlyMap<string, Layer>;
}

/** The sources of every scope. */
export interface AllSources {
  readonly general: ScopeSources;
  readonly ports: Readonly<Record<number, ScopeSources>>;
  readonly outgoing: ScopeSources;
  readonly connectPorts: Readonly<Record<number, ScopeSources>>;
}

/** The options that the environment asks for, by kind of socket. */
export interface Scopes {
  /** Of listeners, and of every kind of socket without values of its own. */
  readonly general: OptionValues;
  /** Of the listeners on these ports, in place of the general values. */
  readonly ports: Readonly<Record<number, OptionValues>>;
  /** Of outgoing sockets, where all their options are set. */
  readonly connect: OptionValues | undefined;
  /** Of outgoing sockets that are guarded, and nothing else: undefined where these are the general ones. `off`: they are left alone. */
  readonly guard: OptionValues | 'off' | undefined;
  /** Of outgoing sockets to these ports, in place of those above. */
  readonly connectPorts: Readonly<Record<number, OptionValues>>;
  /** Options that were set by a variable of their own, in any scope. */
  readonly asked: ReadonlySet<OptionKey>;
  readonly sources: AllSources;
}

function readPreset(reader: Reader, prefix: string, otherwise: PresetName): PresetName {
  return reader.readSetting({ ...ENVIRONMENT_SETTINGS.preset, variable: `${prefix}PRESET`, default: otherwise });
}

/** @param instead what is used in place of values that are not understood */
function readLayer(reader: Reader, prefix: string, rows: readonly OptionRow[], instead: OptionValues): Layer {
  const layer: Layer = {};
  for (const row of rows) {
    const other = instead[row.key];
    const shown = other === undefined ? undefined : kindOf(row).display(other);
    const value = reader.read(prefix + row.variable, (text) => parseOptionText(text, row), shown);
    if (value !== undefined) layer[row.key] = value;
  }
  return layer;
}

/** What a layer says, and what follows from its time for a dead peer. What it names itself outweighs that. */
export function withImplied(layer: Layer): Layer {
  const { deadPeer } = layer;
  if (deadPeer === LEFT_ALONE) return { retransmitTimeoutMax: LEFT_ALONE, ...layer };
  return typeof deadPeer === 'number' ? { ...impliedByDeadPeer(deadPeer), ...layer } : layer;
}

/** The values of a preset with layers upon them. The last layer outweighs the others. */
function layered({ preset, layers }: ScopeSources): Record<string, OptionValue> {
  const values = presetValues(preset);
  for (const layer of layers.values()) {
    for (const [key, value] of Object.entries(withImplied(layer))) {
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

/** Report the variables of a scope that have no effect as outgoing sockets are set. */
function reportUnused(
  reader: Reader,
  prefix: string,
  others: readonly string[],
  rows: readonly OptionRow[],
  expected: string,
): void {
  for (const variable of [...others, ...rows.map((row) => row.variable)]) {
    reader.reportIneffective(prefix + variable, expected);
  }
}

function rowsOf(...targets: readonly OptionTarget[]): OptionRow[] {
  return OPTION_ROWS.filter((row) => row.targets.some((target) => targets.includes(target)));
}

/** The options of one scope as they were read. */
interface Scope {
  readonly sources: ScopeSources;
  readonly own: Layer;
  readonly values: OptionValues;
}

type ReadScope = (
  prefix: string,
  rows: readonly OptionRow[],
  preset: PresetName,
  upon?: ScopeSources['layers'],
) => Scope;

/** A value of each scope of some ports. */
function ofPorts<T>(scopes: Readonly<Record<number, Scope>>, pick: (scope: Scope) => T): Readonly<Record<number, T>> {
  return Object.fromEntries(Object.entries(scopes).map(([port, scope]) => [port, pick(scope)]));
}

/** Outgoing sockets, of all ports and by their ports. */
function readOutgoing(
  reader: Reader,
  preset: PresetName,
  readScope: ReadScope,
  check: (values: object) => OptionValues,
): Pick<Scopes, 'connect' | 'guard' | 'connectPorts'> & { readonly sources: Omit<AllSources, 'general' | 'ports'> } {
  const connectPrefix = `${PREFIX}CONNECT_`;
  const mode = reader.readSetting(ENVIRONMENT_SETTINGS.connect);
  const rows = rowsOf('outgoing');
  const isRead = (row: OptionRow): boolean => mode === 'on' || (mode === 'guard' && row.guards === true);
  const read = rows.filter(isRead);
  const unread = rows.filter((row) => !isRead(row));
  const used = (values: OptionValues): OptionValues => (mode === 'on' ? values : check(guardOf(values)));
  const presetOf = (prefix: string, otherwise: PresetName): PresetName =>
    mode === 'on' ? readPreset(reader, prefix, otherwise) : otherwise;
  const all = readScope(connectPrefix, read, presetOf(connectPrefix, preset));
  const connectPorts: Record<number, Scope> = {};
  const prefixes = [connectPrefix];
  for (const port of reader.ports(connectPrefix)) {
    const prefix = `${connectPrefix}PORT_${port}_`;
    prefixes.push(prefix);
    const scope = readScope(prefix, read, presetOf(prefix, all.sources.preset), all.sources.layers);
    if (mode !== 'off') connectPorts[port] = scope;
  }
  // What the guard has of its own. Else it has the general values.
  const isOwn = Object.keys(all.own).length > 0;
  const guard = mode === 'guard' && isOwn ? used(all.values) : undefined;
  const expected = `${PREFIX}CONNECT=on beside it`;
  for (const prefix of prefixes) reportUnused(reader, prefix, mode === 'on' ? [] : ['PRESET'], unread, expected);
  return {
    connect: mode === 'on' ? all.values : undefined,
    guard: mode === 'off' ? mode : guard,
    connectPorts: ofPorts(connectPorts, ({ values }) => used(values)),
    sources: { outgoing: all.sources, connectPorts: ofPorts(connectPorts, ({ sources }) => sources) },
  };
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
  const sources: ScopeSources = { preset, layers: new Map([[PREFIX, layer]]) };
  const general = layered(sources);
  reportUnmet(reader, PREFIX, layer, general);
  const layers = [layer];

  /** @param upon the layers below the scope's own */
  const readScope: ReadScope = (prefix, rows, own, upon = sources.layers) => {
    const scopeLayer = readLayer(reader, prefix, rows, check(layered({ preset: own, layers: upon })));
    const all = { preset: own, layers: new Map([...upon, [prefix, scopeLayer]]) };
    const values = layered(all);
    reportUnmet(reader, prefix, scopeLayer, values);
    layers.push(scopeLayer);
    return { sources: all, own: scopeLayer, values: check({ ...values, ...withRaw }) };
  };

  const ports: Record<number, Scope> = {};
  for (const port of reader.ports(PREFIX)) {
    const prefix = `${PREFIX}PORT_${port}_`;
    ports[port] = readScope(prefix, rowsOf('listener', 'accepted'), readPreset(reader, prefix, preset));
  }
  const outgoing = readOutgoing(reader, preset, readScope, check);
  for (const { variable } of PLANNED_OPTIONS) {
    reader.reportIneffective(PREFIX + variable, 'a variable that socket-tune has (see docs/considered.md)');
  }
  const asked = new Set(OPTION_ROWS.map((row) => row.key).filter((key) => layers.some((each) => key in each)));
  return {
    ...outgoing,
    general: check({ ...general, ...withRaw }),
    ports: ofPorts(ports, ({ values }) => values),
    asked,
    sources: { ...outgoing.sources, general: sources, ports: ofPorts(ports, (scope) => scope.sources) },
  };
}
