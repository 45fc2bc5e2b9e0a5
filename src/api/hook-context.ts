import { hasPoolOfOne, PRIMARY_MARK } from '../config/env.js';
import { SETTINGS } from '../config/settings.js';
import type { TuneConfig } from '../config/tune-config.js';
import type { HookContext } from '../hooks/context.js';
import { platform } from '../native/index.js';
import { withoutPrototype } from '../node/own-properties.js';
import type { OptionKey } from '../options/table.js';

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
    drain = SETTINGS.drain.default,
  } = own;
  const ports = Object.entries(own.ports ?? {}).map(([port, values]) => [port, withoutPrototype(values)] as const);
  return {
    values: own,
    ports: withoutPrototype(Object.fromEntries(ports)),
    outgoing: own.connect === undefined ? undefined : withoutPrototype(own.connect),
    asked,
    isListenedFor,
    primaryMark: PRIMARY_MARK,
    exactBuffers: bufferMode === 'exact',
    sendfile: sendfile ? { min: sendfileMin, window: sendfileWindow, joins: cork === 'auto' } : undefined,
    drain: drain === 'off' ? undefined : drain,
    answersFs: fs === 'auto' && !hasPoolOfOne(),
    platform,
  };
}
