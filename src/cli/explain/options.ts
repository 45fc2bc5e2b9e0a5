import { PREFIX } from '../../config/env.js';
import { platform } from '../../native/index.js';
import { describeChoices } from '../../options/apply.js';
import { kindOf, type OptionValue } from '../../options/kinds.js';
import { OPTION_ROWS, type OptionRow, optionValue } from '../../options/table.js';
import { docs, type Explanation, NO_VALUE, type SocketValue } from './explanation.js';
import type { SocketScope } from './socket-scopes.js';

/** A value in the form that its variable takes. */
export function displayValue(row: Pick<OptionRow, 'kind'>, value: OptionValue | undefined): string {
  return value === undefined ? NO_VALUE : kindOf(row).display(value);
}

function valueFor(row: OptionRow, scope: SocketScope): SocketValue {
  const value = optionValue(scope.values, row);
  return {
    sockets: scope.name,
    ...(value === undefined ? {} : { value }),
    text: displayValue(row, value),
    source: scope.originOf(row),
  };
}

/** What an option is for, and which names it takes here. */
function docOf(row: OptionRow): string {
  const choices = platform().choicesOf(row.constant);
  return choices === undefined ? row.doc : `${row.doc} Here: ${describeChoices(choices)}.`;
}

function explainOption(row: OptionRow, scopes: readonly SocketScope[]): readonly Explanation[] {
  const sockets = scopes
    .filter(({ targets }) => targets.some((target) => row.targets.includes(target)))
    .map((scope) => valueFor(row, scope));
  const [first] = sockets;
  if (first === undefined) return [];
  const { sockets: _, ...main } = first;
  return [
    {
      option: row.key,
      variable: PREFIX + row.variable,
      ...main,
      constant: row.constant,
      supported: platform().constants[row.constant] !== undefined,
      values: kindOf(row).describeValues(row),
      doc: docOf(row),
      link: `${docs('options.md')}#${row.variable.toLowerCase()}`,
      sockets,
    },
  ];
}

/** The options of some sockets, with the value for the first of them that has the option, and that for each. */
export function explainOptions(scopes: readonly SocketScope[]): readonly Explanation[] {
  return OPTION_ROWS.flatMap((row) => explainOption(row, scopes));
}

/** What each kind of socket gets, or would get if the option had a value: those with the same value from the same source are named together. */
export function socketTexts(sockets: readonly SocketValue[]): readonly string[] {
  if (sockets.every(({ value }) => value === undefined)) return [`for ${sockets.map((one) => one.sockets).join(', ')}`];
  const [first] = sockets;
  const names = new Map<string, string[]>();
  for (const { sockets: name, text, source } of sockets) {
    const told = source === first?.source ? text : `${text} (${source})`;
    names.set(told, [...(names.get(told) ?? []), name]);
  }
  return Array.from(names, ([told, all]) => `${all.join(', ')}: ${told}`);
}
