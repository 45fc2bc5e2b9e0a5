import { hasPoolOfOne, PRIMARY_MARK } from '../config/env.js';
import { SETTINGS } from '../config/settings.js';
import type { TuneConfig } from '../config/tune-config.js';
import type { HookContext } from '../hooks/context.js';
import { platform } from '../native/index.js';
import { withoutPrototype } from '../node/own-properties.js';
import { OPTION_ROWS, type OptionKey, type OptionValues } from '../options/table.js';

/** Options by port, without the properties that an app has put on Object.prototype. */
function byPort(ports: Readonly<Record<number, OptionValues>> = {}): Readonly<Record<number, OptionValues>> {
  const entries = Object.entries(ports).map(([port, values]) => [port, withoutPrototype(values)] as const);
  return withoutPrototype(Object.fromEntries(entries));
}

/** The part of some values that guards outgoing sockets. */
function guardOf(values: OptionValues): OptionValues {
  const keys = OPTION_ROWS.filter((row) => row.guards && values[row.key] !== undefined).map(({ key }) => key);
  return withoutPrototype(Object.fromEntries(keys.map((key) => [key, values[key]])));
}

/** Outgoing sockets as the hooks take them. */
function outgoingOf({
  connect,
  guard,
  connectPorts,
  ...own
}: TuneConfig): Pick<HookContext, 'outgoing' | 'outgoingPorts' | 'guards' | 'guardsOnly'> {
  if (connect === undefined && guard === 'off') {
    return { outgoing: undefined, outgoingPorts: {}, guards: false, guardsOnly: false };
  }
  const outgoing =
    connect === undefined ? guardOf(guard === undefined || guard === 'off' ? own : guard) : withoutPrototype(connect);
  return { outgoing, outgoingPorts: byPort(connectPorts), guards: true, guardsOnly: connect === undefined };
}

/**
 * A config as the hooks take it.
 *
 * @param asked options that the user set by name
 * @param isListenedFor the primary of this cluster makes the listeners of this worker
 */
export function hookContext(
  config: TuneConfig,
  asked: ReadonlySet<OptionKey> = new Set(),
  isListenedFor = false,
): HookContext {
  const own = withoutPrototype(config);
  const {
    bufferMode = SETTINGS.bufferMode.default,
    sendfile = SETTINGS.sendfile.default,
    sendfileMin = SETTINGS.sendfileMin.default,
    sendfileWindow = SETTINGS.sendfileWindow.default,
    cork = SETTINGS.cork.default,
    fs = SETTINGS.fs.default,
  } = own;
  return {
    values: own,
    ports: byPort(own.ports),
    ...outgoingOf(own),
    asked,
    isListenedFor,
    primaryMark: PRIMARY_MARK,
    exactBuffers: bufferMode === 'exact',
    sendfile: sendfile ? { min: sendfileMin, window: sendfileWindow, joins: cork === 'auto' } : undefined,
    answersFs: fs === 'auto' && !hasPoolOfOne(),
    platform,
  };
}
