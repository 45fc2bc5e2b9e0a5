/** The README's table of options, made from the table in src/options. As a script it updates the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kindOf, type OptionKind, type OptionValue } from '../../src/options/kinds.js';
import type { PresetName } from '../../src/options/socket-option.js';
import { OPTION_ROWS, type OptionRow } from '../../src/options/table.js';
import { Section } from './section.js';

/** The file with the table. */
export const README = fileURLToPath(new URL('../../../README.md', import.meta.url));
const SECTION = new Section('options', 'options-table');

function display(kind: OptionKind, value: OptionValue | undefined): string {
  if (value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'number' && kind === 'bytes')
    return value % 2 ** 20 ? `${value / 2 ** 10}k` : `${value / 2 ** 20}m`;
  return String(value);
}

function presets(row: OptionRow): string {
  const names: readonly PresetName[] = ['default', 'lowlatency', 'highthroughput'];
  return names.map((name) => display(row.kind, row.presets[name])).join(' / ');
}

/** The table in Markdown. */
export function optionsTable(): string {
  const lines = OPTION_ROWS.map((row) => {
    const cells = [`\`SOCKET_TUNE_${row.variable}\``, `\`${row.key}\``, kindOf(row).unit, presets(row), row.doc];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| Variable | In a config | Unit | default / lowlatency / highthroughput | |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

/** The README with its table. */
export function withOptionsTable(readme: string): string {
  return SECTION.in(readme, optionsTable());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, withOptionsTable(readFileSync(README, 'utf8')));
}
