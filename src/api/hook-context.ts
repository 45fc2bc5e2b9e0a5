import { hasPoolOfOne, PRIMARY_MARK } from '../config/env.js';
import { keepAliveTimeOf } from '../config/front.js';
import { outgoingValues } from '../config/outgoing.js';
import { SETTINGS } from '../config/settings.js';
import type { TuneConfig } from '../config/tune-config.js';
import type { HookContext } from '../hooks/context.js';
import { platform } from '../native/index.js';
import { withoutPrototype } from '../node/own-properties.js';
import type { OptionKey, OptionValues } from '../options/table.js';

/** Options by port, without the properties that an app has put on Object.prototype. */
function byPort(ports: Readonly<Record<number, OptionValues>> = {}): Readonly<Record<number, OptionValues>> {
  const entries = Object.entries(ports).map(([port, values]) => [port, withoutPrototype(values)] as const);
  return withoutPrototype(Object.fromEntries(entries));
}

/** Outgoing sockets as the hooks take them. */
function outgoingOf(config: TuneConfig): Pick<HookContext, 'outgoing' | 'outgoingPorts' | 'guards' | 'guardsOnly'> {
  const outgoing = outgoingValues(config);
  const guards = outgoing !== undefined;
  const outgoingPorts = guards ? byPort(config.connectPorts) : {};
  return { outgoing, outgoingPorts, guards, guardsOnly: guards && config.connect === undefined };
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
    splice = SETTINGS.splice.default,
    drain = SETTINGS.drain.default,
    udpGso = SETTINGS.udpGso.default,
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
    keepAliveTime: keepAliveTimeOf(config),
    drain: drain === 'off' ? undefined : drain,
    answersFs: fs === 'auto' && !hasPoolOfOne(),
    batchesDatagrams: udpGso,
    splices: splice === 'auto',
    platform,
  };
}
