import type { Column } from '../../report/column.js';

/** Which column rows are sorted by, and how. */
export interface Order {
  /** Head of the column. Undefined: rows stay as they came. */
  readonly by: string | undefined;
  readonly isAscending: boolean;
}

/** A table that is as wide as a terminal at most. */
export interface FittedTable {
  readonly heads: readonly string[];
  readonly rows: readonly string[];
}

const GAP = '  ';

/** The first column is a name. A longer one loses its middle, down to this width: an IPv4 address and a port. */
const LEAST_NAME = 21;

const ELLIPSIS = '…';

/** Control characters would move the cursor, or worse: names come from other machines. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** A text without its middle: of a name the end tells the port. */
export function shortened(text: string, width: number): string {
  const letters = Array.from(printable(text));
  if (letters.length <= width) return letters.join('');
  if (width <= 1) return letters.slice(0, Math.max(0, width)).join('');
  const end = Math.floor((width - 1) / 2);
  const begin = width - 1 - end;
  return [...letters.slice(0, begin), ELLIPSIS, ...letters.slice(letters.length - end)].join('');
}

/** A text without its end. */
export function cut(text: string, width: number): string {
  const letters = Array.from(printable(text));
  if (letters.length <= width) return letters.join('');
  return width <= 0 ? '' : `${letters.slice(0, width - 1).join('')}${ELLIPSIS}`;
}

/** Rows in an order. Those without a key come last, whichever the order. */
export function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], { by, isAscending }: Order): readonly T[] {
  const column = columns.find(({ head }) => head === by);
  if (column === undefined) return rows;
  const sign = isAscending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [left, right] = [column.key(a), column.key(b)];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
    return sign * String(left).localeCompare(String(right), 'en', { numeric: true });
  });
}

interface Measured<T> {
  readonly column: Column<T>;
  /** Lines of the head: each of its words. */
  readonly head: readonly string[];
  readonly cells: readonly string[];
  readonly isName: boolean;
  readonly width: number;
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, Array.from(text).length), 0);
}

function measure<T>(column: Column<T>, isName: boolean, rows: readonly T[], { by, isAscending }: Order): Measured<T> {
  const mark = isAscending ? '▲' : '▼';
  const head = `${column.head}${column.head === by ? mark : ''}`.split(' ');
  const cells = rows.map((row) => printable(column.text(row)));
  return { column, head, cells, isName, width: Math.max(widest(head), widest(cells)) };
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
}

function leastOf({ isName, width }: Measured<unknown>): number {
  return isName ? Math.min(width, LEAST_NAME) : width;
}

/** Drop columns, the greatest rank first, until the others fit with shortened names. One column stays. */
function withoutDropped<T>(measured: readonly Measured<T>[], width: number): readonly Measured<T>[] {
  let kept = measured;
  while (kept.length > 1 && total(kept.map(leastOf)) > width) {
    const dropped = Math.max(...kept.map(({ column }) => column.rank));
    kept = kept.filter(({ column }) => column.rank !== dropped);
  }
  return kept;
}

/** Shorten names, the widest first, until all fits. */
function fittedWidths(kept: readonly Measured<unknown>[], width: number): readonly number[] {
  const widths = kept.map((each) => each.width);
  let excess = total(widths) - width;
  for (const [index, { isName, width: natural }] of kept.entries()) {
    if (!isName || excess <= 0) continue;
    const least = kept.length === 1 ? 1 : Math.min(natural, LEAST_NAME);
    const taken = Math.min(excess, natural - least);
    widths[index] = natural - taken;
    excess -= taken;
  }
  return widths;
}

/** Names stand at the left, figures at the right. */
function padded(text: string, width: number, isName: boolean): string {
  return isName ? shortened(text, width).padEnd(width) : text.padStart(width);
}

/**
 * Rows as a table that fits: names are shortened, and columns dropped.
 *
 * @param names heads of the columns that are names
 */
export function fitTable<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  order: Order,
  { names, width }: { readonly names: ReadonlySet<string>; readonly width: number },
): FittedTable {
  const measured = columns.map((column) => measure(column, names.has(column.head), rows, order));
  const kept = withoutDropped(measured, width);
  const widths = fittedWidths(kept, width);
  const line = (textOf: (each: Measured<T>) => string): string =>
    kept
      .map((each, index) => padded(textOf(each), widths[index] ?? 0, each.isName))
      .join(GAP)
      .trimEnd();
  const headLines = Math.max(...kept.map(({ head }) => head.length));
  return {
    heads: Array.from({ length: headLines }, (_, index) =>
      line(({ head }) => head[index - headLines + head.length] ?? ''),
    ),
    rows: rows.map((_, index) => line(({ cells }) => cells[index] ?? '')),
  };
}
