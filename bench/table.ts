import { cellText } from './page/label.js';
import type { Result, Table } from './scenario.js';

/** A table as text: numbers to the right, text to the left. */
function formatTable(table: Table): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map(cellText))];
  const isNumeric = table.columns.map((_, column) => table.rows.some((row) => typeof row[column] === 'number'));
  const widths = table.columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [table.title, ...rows.map(line)].join('\n');
}

/** A result as text for people. */
export function formatResult(result: Result): string {
  const notes = result.notes.map((note) => `* ${note}`);
  return [...result.tables.map(formatTable), ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
}
