import type { TuneConfig } from '../config/config.js';
import { PREFIX } from '../config/env.js';
import { platform } from '../native/index.js';
import type { OptionKind, OptionValue } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionRow, optionValue } from '../options/table.js';
import type { Output } from './output.js';

/** The documentation of the options that came with this version, beside dist/. */
const DOCS = new URL('../docs/options.md', import.meta.url).href;

/** One option, as the configuration has it. */
export interface Explanation {
  readonly option: string;
  readonly variable: string;
  /** Absent: left as the kernel and Node have it. */
  readonly value?: OptionValue;
  /** The variable, or `preset NAME`; `left alone` where there is no value. */
  readonly source: string;
  readonly constant: string;
  /** Whether this system has it. */
  readonly supported: boolean;
  readonly doc: string;
  readonly link: string;
}

const UNIT: Readonly<Partial<Record<OptionKind, string>>> = { seconds: 's', milliseconds: 'ms', microseconds: 'µs' };

/** A value as it may be written into its variable. */
export function displayValue(row: Pick<OptionRow, 'kind'>, value: OptionValue | undefined): string {
  if (value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  if (row.kind !== 'bytes') return `${value}${UNIT[row.kind] ?? ''}`;
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20}m`;
  return value % 2 ** 10 === 0 ? `${value / 2 ** 10}k` : String(value);
}

function sourceOf(row: OptionRow, value: unknown, variables: ReadonlyMap<string, string>, preset: string): string {
  const variable = PREFIX + row.variable;
  if (variables.has(variable)) return variable;
  return value === undefined ? 'left alone' : `preset ${preset}`;
}

/** Every option with its value and where that comes from. */
function explanations(
  config: TuneConfig,
  variables: ReadonlyMap<string, string>,
  preset: string,
): readonly Explanation[] {
  const { constants } = platform();
  return OPTION_ROWS.map((row) => {
    const value = optionValue(config, row);
    return {
      option: row.key,
      variable: PREFIX + row.variable,
      ...(value === undefined ? {} : { value }),
      source: sourceOf(row, value, variables, preset),
      constant: row.constant,
      supported: constants[row.constant] !== undefined,
      doc: row.doc,
      link: `${DOCS}#${row.variable.toLowerCase()}`,
    };
  });
}

/** Print every option with its value, where that comes from, its constant and its meaning. */
export function explain(
  output: Output,
  config: TuneConfig,
  variables: ReadonlyMap<string, string>,
  { preset, json }: { preset: string; json: boolean },
): void {
  const all = explanations(config, variables, preset);
  if (json) {
    output.json(all);
    return;
  }
  for (const { option, variable, value, source, constant, supported, doc } of all) {
    const row = OPTION_ROWS.find((candidate) => candidate.key === option);
    const shown = output.style(value === undefined ? 'dim' : 'green', displayValue(row ?? { kind: 'count' }, value));
    const where = supported ? constant : `${constant}, which this system does not have`;
    output.line(`${output.style('bold', variable)} = ${shown}   ${output.style('dim', `${source} · ${where}`)}`);
    output.line(`    ${doc}`);
  }
  output.line();
  output.line(`More about each: ${DOCS}`);
}
