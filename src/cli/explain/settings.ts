import type { EnvironmentConfig } from '../../config/config.js';
import { PREFIX } from '../../config/env.js';
import { type Behind, FRONTS, frontIdleTime, keepAliveTimeBehind } from '../../config/front.js';
import { RAW } from '../../config/raw.js';
import { ENVIRONMENT_SETTINGS, SETTINGS, type Setting } from '../../config/settings.js';
import { NODES_TIMES } from '../../node/http.js';
import { docs, type Explanation } from './explanation.js';
import { connectModeOf } from './socket-scopes.js';

/** The section of docs/ that says more of a setting. The others stand in the README alone. */
const PAGES: Readonly<Partial<Record<string, string>>> = {
  behind: 'requests.md#behind',
  drain: 'requests.md',
  drainDelay: 'requests.md',
  inspect: 'observing.md',
  otel: 'observing.md#opentelemetry',
  report: 'observing.md',
  connect: 'outgoing.md',
  preset: 'presets.md',
  raw: 'options.md#raw',
};

function keptTimes(idle: number): string {
  const kept = keepAliveTimeBehind(idle);
  const names = ['keepAliveTimeout', 'headersTimeout', 'requestTimeout'] as const;
  return names.map((name) => `${name} ${Math.max(kept, NODES_TIMES[name]) / 1000} s`).join(', ');
}

/** What becomes of `SOCKET_TUNE_BEHIND`. */
function meaningOf(behind: Behind): string {
  const idle = frontIdleTime(behind);
  if (idle === undefined)
    return `http servers close idle connections after ${NODES_TIMES.keepAliveTimeout / 1000} s, Node’s default`;
  const who = typeof behind === 'string' && behind !== 'off' ? FRONTS[behind].title : 'the proxy in front';
  return `${who} closes idle connections after ${idle / 1000} s; http servers get ${keptTimes(idle)}, each unless the app sets it`;
}

/** A setting with its value, as far as it is not the same for all settings. */
type Told = Pick<Explanation, 'option' | 'variable' | 'text' | 'values' | 'doc'> & { readonly value: unknown };

function told<V>(option: string, setting: Setting<V>, value: V): Told {
  const { variable, kind, doc } = setting;
  return { option, variable, value, text: kind.display(value), values: kind.describeValues(setting), doc };
}

function tellSettings({ config, enabled, strict, sources }: EnvironmentConfig): readonly Told[] {
  const ofConfig = Object.entries(SETTINGS).map(([key, setting]: [string, Setting<unknown>]) =>
    told(key, setting, Reflect.get(config, key)),
  );
  const { raw = [] } = config;
  return [
    told('enabled', ENVIRONMENT_SETTINGS.enabled, enabled),
    told('preset', ENVIRONMENT_SETTINGS.preset, sources.general.preset),
    told('connect', ENVIRONMENT_SETTINGS.connect, connectModeOf(config)),
    told('strict', ENVIRONMENT_SETTINGS.strict, strict),
    ...ofConfig.map((one) => (one.option === 'behind' ? { ...one, doc: meaningOf(config.behind ?? 'off') } : one)),
    {
      option: 'raw',
      variable: `${PREFIX}RAW`,
      value: raw,
      text: raw.length === 0 ? 'none' : RAW.display(raw),
      values: RAW.describeValues({}),
      doc: 'any other option of the kernel, by its numbers',
    },
  ];
}

/**
 * Every setting with its value and its source: all that is no option of a socket.
 *
 * @param preset the option of the command line, which outweighs its variable
 */
export function explainSettings(
  environment: EnvironmentConfig,
  variables: ReadonlyMap<string, string>,
  preset: string | undefined,
): readonly Explanation[] {
  const misunderstood = new Set(environment.problems.map(({ variable }) => variable));
  const sourceOf = ({ option, variable }: Told): string => {
    if (option === 'preset' && preset !== undefined) return '--preset';
    return variables.has(variable) && !misunderstood.has(variable) ? variable : 'default';
  };
  return tellSettings(environment).map((one) => ({
    ...one,
    source: sourceOf(one),
    ...(one.option === 'behind' ? { constant: 'server.keepAliveTimeout' } : {}),
    supported: true,
    link: docs(PAGES[one.option] ?? '../README.md#configure'),
  }));
}
