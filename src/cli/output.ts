import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** Where commands write. Colour is for terminals only (https://no-color.org). */
export interface Output {
  readonly isTerminal: boolean;
  style(style: Style, text: string): string;
  line(text?: string): void;
  /** Text whose lines are as wide as the terminal at most, each behind an indent. Elsewhere it is one line. */
  paragraph(text: string, indent: string): void;
  json(value: unknown): void;
  /** A table without borders. */
  table(heads: readonly string[], rows: readonly (readonly string[])[], widths?: readonly (number | null)[]): string;
}

const BORDERLESS = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid']
    .concat(['mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, '']),
);

/** The lines of a text, broken between words. A word that is wider than a line has one of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (stripVTControlCharacters(longer).length <= width || line === '') line = longer;
    else {
      lines.push(line.trimEnd());
      line = word;
    }
  }
  return [...lines, line];
}

/** @param noColour the value of NO_COLOR */
export function makeOutput(stream: NodeJS.WriteStream, noColour: string | undefined): Output {
  const isTerminal = stream.isTTY === true;
  const hasColour = isTerminal && (noColour === undefined || noColour === '');
  const style: Output['style'] = (name, text) => (hasColour ? styleText(name, text) : text);
  return {
    isTerminal,
    style,
    paragraph(text, indent) {
      const lines = isTerminal ? wrap(text, stream.columns - indent.length) : [text];
      for (const line of lines) stream.write(`${indent}${line}\n`);
    },
    line: (text = '') => stream.write(`${text}\n`),
    json: (value) => stream.write(`${JSON.stringify(value, undefined, 2)}\n`),
    table(heads, rows, widths) {
      const table = new Table({
        head: heads.map((head) => style('bold', head)),
        chars: { ...BORDERLESS, middle: '  ' },
        style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
        ...(widths === undefined ? {} : { colWidths: [...widths], wordWrap: true }),
      });
      for (const row of rows) table.push([...row]);
      return table.toString().replace(/ +$/gm, '');
    },
  };
}
