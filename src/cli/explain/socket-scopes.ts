import type { EnvironmentConfig } from '../../config/config.js';
import { guardOf, outgoingValues } from '../../config/outgoing.js';
import { presetValues } from '../../config/presets.js';
import { type ScopeSources, withImplied } from '../../config/scopes.js';
import { ENVIRONMENT_SETTINGS } from '../../config/settings.js';
import type { TuneConfig } from '../../config/tune-config.js';
import type { OptionTarget } from '../../options/socket-option.js';
import { OPTION_ROWS, type OptionRow, type OptionValues } from '../../options/table.js';

/** Sockets that get the same options: those of a kind, or those of a kind on one port. */
export interface SocketScope {
  readonly name: string;
  readonly targets: readonly OptionTarget[];
  readonly values: OptionValues;
  /** Undefined: all ports without values of their own. */
  readonly port: number | undefined;
  /** Where the value of an option comes from. */
  originOf(row: OptionRow): string;
}

const DEAD_PEER = OPTION_ROWS.find(({ key }) => key === 'deadPeer')?.variable ?? '';

/** Where the value of an option comes from: a variable, what follows from one, a preset. */
function originIn({ preset, layers }: ScopeSources, row: OptionRow): string {
  for (const [prefix, layer] of [...layers].toReversed()) {
    if (Object.hasOwn(layer, row.key)) return prefix + row.variable;
    if (Object.hasOwn(withImplied(layer), row.key)) return `follows from ${prefix}${DEAD_PEER}`;
  }
  return Object.hasOwn(presetValues(preset), row.key) ? `preset ${preset}` : 'left alone';
}

/** What is done with outgoing sockets. */
export function connectModeOf({ connect, guard }: TuneConfig): 'on' | 'guard' | 'off' {
  if (connect !== undefined) return 'on';
  return guard === 'off' ? 'off' : 'guard';
}

const NAMES: Readonly<Record<OptionTarget, string>> = {
  listener: 'listeners',
  accepted: 'accepted sockets',
  outgoing: 'outgoing sockets',
  datagram: 'UDP sockets',
};

function outgoingScopes({ config, sources }: EnvironmentConfig): readonly SocketScope[] {
  const mode = connectModeOf(config);
  const scopeOf = (port: number | undefined, values: OptionValues, own: ScopeSources): SocketScope => ({
    name: port === undefined ? NAMES.outgoing : `${NAMES.outgoing} to port ${port}`,
    targets: ['outgoing'],
    values: mode === 'on' ? values : guardOf(values),
    port,
    originOf: (row) =>
      mode === 'on' || (mode === 'guard' && row.guards)
        ? originIn(own, row)
        : `left alone: ${ENVIRONMENT_SETTINGS.connect.variable} is ${mode}`,
  });
  const ports = Object.entries(config.connectPorts ?? {}).flatMap(([port, values]) => {
    const own = sources.connectPorts[Number(port)];
    return own === undefined ? [] : [scopeOf(Number(port), values, own)];
  });
  return [scopeOf(undefined, outgoingValues(config) ?? {}, sources.outgoing), ...ports];
}

/** Every kind of socket with its options, and those of ports that have values of their own. */
export function socketScopes(environment: EnvironmentConfig): readonly SocketScope[] {
  const { config, sources } = environment;
  const general = (target: OptionTarget): SocketScope => ({
    name: NAMES[target],
    targets: [target],
    values: config,
    port: undefined,
    originOf: (row) => originIn(sources.general, row),
  });
  const ports = Object.entries(config.ports ?? {}).map(([port, values]): SocketScope => {
    const own = sources.ports[Number(port)] ?? sources.general;
    return {
      name: `port ${port}`,
      targets: ['listener', 'accepted'],
      values,
      port: Number(port),
      originOf: (row) => originIn(own, row),
    };
  });
  return [general('listener'), general('accepted'), ...ports, ...outgoingScopes(environment), general('datagram')];
}

/** The scopes of some kinds of sockets on a port: the port's own, or else those of all ports. */
export function scopesOfPort(
  scopes: readonly SocketScope[],
  port: number,
  ...kinds: readonly OptionTarget[]
): readonly SocketScope[] {
  const ofKinds = scopes.filter(({ targets }) => targets.some((target) => kinds.includes(target)));
  const own = ofKinds.filter((scope) => scope.port === port);
  return own.length > 0 ? own : ofKinds.filter((scope) => scope.port === undefined);
}
