import type { Verdict } from './verdict.js';

/** How often each end came. */
export type Counts = Readonly<Record<Verdict, number>>;

interface Row {
  readonly name: string;
  readonly cells: readonly (string | number)[];
  readonly note: string;
}

const COLUMNS = ['fault', 'runs', 'identical', 'clean close', 'wrong', 'desyncs', 'hangs', 'stock'] as const;

const rows: Row[] = [];

export function countVerdicts(verdicts: readonly Verdict[]): Counts {
  const counts = { identical: 0, 'clean close': 0, wrong: 0, desync: 0, hang: 0 };
  for (const verdict of verdicts) counts[verdict]++;
  return counts;
}

/** Verdicts that are no fault of ours, as one word for the table. */
export function describeCounts(counts: Counts): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(', ');
}

/** Adds a line to the table: the result under the preload, and the one of stock Node. */
export function tally(name: string, counts: Counts, { stock = '', note = '' } = {}): void {
  const runs = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { identical, 'clean close': cleanClose, wrong, desync, hang } = counts;
  rows.push({ name, cells: [runs, identical, cleanClose, wrong, desync, hang, stock], note });
}

/** Add a line of figures that are no verdicts. */
export function tallyFigures(name: string, runs: number, note: string, stock = ''): void {
  rows.push({ name, cells: [runs, '', '', '', '', '', stock], note });
}

export function formatTally(): string {
  const lines = [COLUMNS.map(String), ...rows.map(({ name, cells }) => [name, ...cells.map(String)])];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 || column === COLUMNS.length - 1
      ? cell.padEnd(widths[column] ?? 0)
      : cell.padStart(widths[column] ?? 0);
  return lines
    .map((line, index) => `${line.map(pad).join('  ').trimEnd()}${noteLine(rows[index - 1]?.note)}`)
    .join('\n');
}

function noteLine(note: string | undefined): string {
  return note === undefined || note === '' ? '' : `\n    ${note}`;
}
