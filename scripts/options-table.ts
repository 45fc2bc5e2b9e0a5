/** The README's table of options, made from the table in src/options. As a script it updates the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { kindOf, type OptionKind, type OptionValue } from '../src/options/kinds.js';
import type { PresetName } from '../src/options/socket-option.js';
import { OPTION_ROWS, type OptionRow } from '../src/options/table.js';

/** The file with the table. */
export const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const BEGIN = '<!-- options: made by scripts/options-table.ts -->';
const END = '<!-- /options -->';

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

/** A text with the table between its two marks. */
export function withOptionsTable(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`no place for the table of options: ${BEGIN} … ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${optionsTable()}\n\n${text.slice(end)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(README, withOptionsTable(readFileSync(README, 'utf8')));
}
