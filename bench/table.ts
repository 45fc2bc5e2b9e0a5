import type { Cell, Result, Table } from './scenario.js';

/** Three digits say all that a measurement of this kind knows. */
function text(cell: Cell): string {
  if (cell === undefined) return '-';
  if (typeof cell === 'string') return cell;
  const magnitude = Math.abs(cell);
  if (magnitude >= 100 || Number.isInteger(cell)) return cell.toFixed(0);
  return cell.toFixed(magnitude >= 10 ? 1 : 2);
}

/** Columns of numbers are set to the right, those of text to the left. */
function formatTable(table: Table): string {
  const rows = [table.columns, ...table.rows.map((row) => row.map(text))];
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

/** A result for people. */
export function formatResult(result: Result): string {
  const notes = result.notes.map((note) => `* ${note}`);
  return [...result.tables.map(formatTable), ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
}
