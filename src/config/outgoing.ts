import { withoutPrototype } from '../node/own-properties.js';
import { OPTION_ROWS, type OptionValues, optionValue } from '../options/table.js';
import type { TuneConfig } from './tune-config.js';

/** The part of some values that guards outgoing sockets. */
export function guardOf(values: OptionValues): OptionValues {
  const entries = OPTION_ROWS.filter((row) => row.guards).map((row) => [row.key, optionValue(values, row)] as const);
  return withoutPrototype(Object.fromEntries(entries.filter(([, value]) => value !== undefined)));
}

/** The options of outgoing sockets in a config; undefined where these are left alone. */
export function outgoingValues({ connect, guard, ...own }: TuneConfig): OptionValues | undefined {
  if (connect !== undefined) return withoutPrototype(connect);
  return guard === 'off' ? undefined : guardOf(guard ?? own);
}
