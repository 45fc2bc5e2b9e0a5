import type { OptionValue } from '../options/kinds.js';
import type { PresetName } from '../options/socket-option.js';
import { OPTION_ROWS } from '../options/table.js';

/** `none` sets only the options that have a variable of their own. */
export const PRESET_NAMES = [
  'default',
  'lowlatency',
  'highthroughput',
  'none',
] as const satisfies readonly PresetName[];

/** The values that the table gives a preset. */
export function presetValues(preset: PresetName): Record<string, OptionValue> {
  const values: Record<string, OptionValue> = {};
  for (const row of OPTION_ROWS) {
    const value = row.presets[preset];
    if (value !== undefined) values[row.key] = value;
  }
  return values;
}
