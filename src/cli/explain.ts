import { PREFIX } from '../config/env.js';
import { platform } from '../native/index.js';
import { kindOf, type OptionValue } from '../options/kinds.js';
import type { OptionTarget } from '../options/socket-option.js';
import { OPTION_ROWS, type OptionRow, type OptionValues, optionValue } from '../options/table.js';
import type { Output } from './output.js';

/** The page of options of this version, beside dist/. */
const DOCS = new URL('../docs/options.md', import.meta.url).href;

/** One option, or setting, with its value in the configuration. */
export interface Explanation {
  readonly option: string;
  readonly variable: string;
  /** Absent if it stays as the kernel and Node have it. */
  readonly value?: OptionValue;
  /** The variable, or `preset NAME`; `left alone` where there is no value. */
  readonly source: string;
  readonly constant: string;
  /** Whether this system has it. */
  readonly supported: boolean;
  readonly doc: string;
  readonly link: string;
}

/** A value in the form that its variable takes. */
export function displayValue(row: Pick<OptionRow, 'kind'>, value: OptionValue | undefined): string {
  return value === undefined ? '–' : kindOf(row).display(value);
}

/** The sockets whose options are explained. */
export interface Subject {
  readonly values: OptionValues;
  /** Prefix of the variables for these sockets only, such as `SOCKET_TUNE_PORT_8080_`. */
  readonly prefix: string;
  readonly variables: ReadonlyMap<string, string>;
  /** Settings that matter to these sockets. */
  readonly settings?: readonly Explanation[];
}

function originOf(row: OptionRow, value: unknown, { prefix, variables }: Subject): string {
  const named = [prefix + row.variable, PREFIX + row.variable].find((variable) => variables.has(variable));
  if (named !== undefined) return named;
  if (value === undefined) return 'left alone';
  return `preset ${variables.get(`${prefix}PRESET`) ?? variables.get(`${PREFIX}PRESET`) ?? 'default'}`;
}

/** Every option with its value and its source. */
function explanations(subject: Subject, target: OptionTarget | undefined): readonly Explanation[] {
  const { constants } = platform();
  const rows = OPTION_ROWS.filter(({ targets }) => target === undefined || targets.includes(target));
  return rows.map((row) => {
    const value = optionValue(subject.values, row);
    return {
      option: row.key,
      variable: PREFIX + row.variable,
      ...(value === undefined ? {} : { value }),
      source: originOf(row, value, subject),
      constant: row.constant,
      supported: constants[row.constant] !== undefined,
      doc: row.doc,
      link: `${DOCS}#${row.variable.toLowerCase()}`,
    };
  });
}

/**
 * Print every option with its value, source, constant and meaning.
 *
 * @param target only options of such sockets; undefined for all options
 */
export function explain(
  output: Output,
  subject: Subject,
  { json, target }: { json: boolean; target: OptionTarget | undefined },
): void {
  const all = [...explanations(subject, target), ...(subject.settings ?? [])];
  if (json) {
    output.json(all);
    return;
  }
  for (const { option, variable, value, source, constant, supported, doc } of all) {
    const row = OPTION_ROWS.find((candidate) => candidate.key === option);
    const text = row === undefined ? String(value ?? '–') : displayValue(row, value);
    const shown = output.style(value === undefined ? 'dim' : 'green', text);
    const where = supported ? constant : `${constant}, which this system does not have`;
    output.line(`${output.style('bold', variable)} = ${shown}   ${output.style('dim', `${source} · ${where}`)}`);
    output.line(`    ${doc}`);
  }
  output.line();
  output.line(`More about each: ${DOCS}`);
}
