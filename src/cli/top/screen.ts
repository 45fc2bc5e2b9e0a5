import { formatCount } from '../../report/format.js';
import type { Snapshot } from '../../report/snapshot.js';
import type { Output } from '../output.js';
import { cut, type Order } from './fitted-table.js';
import { titleOf, totalsOf } from './overview.js';
import { VIEWS, type View } from './views.js';

/** What the user has chosen to see. */
export interface Choice {
  readonly view: View;
  readonly orders: ReadonlyMap<View, Order>;
  /** Rows above the first one that is shown. */
  readonly scrolled: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export const FIRST_CHOICE: Choice = { view: VIEWS[0], orders: new Map(), scrolled: 0 };

const KEYS = 'q quit  ↑↓ scroll  ←→ column  r reverse  tab view';

/** A terminal with fewer rows shows the table alone. */
const ROWS_FOR_TOTALS = 14;

/** Of the totals, so that the table has a place. */
const MOST_TOTALS = 5;

export function orderOf({ view, orders }: Choice): Order {
  return orders.get(view) ?? view.order;
}

/** The first row to show, so that the last rows fill the place that there is. */
function firstRow(scrolled: number, rows: number, place: number): number {
  return Math.max(0, Math.min(scrolled, rows - place));
}

function tabs(output: Output, chosen: View, snapshot: Snapshot, width: number): string {
  const names = VIEWS.map((view, index) => ({
    view,
    text: `${index + 1} ${view.name} ${formatCount(view.count(snapshot))}`,
  }));
  const full = names.map(({ text }) => text).join('   ');
  if (full.length > width)
    return output.style(
      'bold',
      cut(`${VIEWS.indexOf(chosen) + 1}/${VIEWS.length} ${chosen.name} ${formatCount(chosen.count(snapshot))}`, width),
    );
  return names.map(({ view, text }) => output.style(view === chosen ? 'bold' : 'dim', text)).join('   ');
}

/** A screen, with the row that it begins at. */
export interface Screen {
  readonly lines: readonly string[];
  readonly scrolled: number;
  /** Rows of the table that have a place. */
  readonly page: number;
}

/**
 * A snapshot as a screen: as many lines as the terminal has rows at most, none wider than it.
 *
 * @param trouble why the snapshot is an old one
 */
export function drawScreen(
  output: Output,
  snapshot: Snapshot,
  choice: Choice,
  { columns, rows }: Size,
  trouble: string | undefined,
): Screen {
  const { view } = choice;
  const title =
    trouble === undefined
      ? output.style('bold', cut(titleOf(snapshot), columns))
      : output.style('red', cut(trouble, columns));
  const totals = rows < ROWS_FOR_TOTALS ? [] : [...totalsOf(snapshot).slice(0, MOST_TOTALS), ''];
  const table = view.table(snapshot, orderOf(choice), columns);
  const head = [
    title,
    ...totals.map((line) => cut(line, columns)),
    tabs(output, view, snapshot, columns),
    ...table.heads.map((line) => output.style('bold', line)),
  ];
  const page = Math.max(1, rows - head.length - 1);
  const scrolled = firstRow(choice.scrolled, table.rows.length, page);
  const shown = table.rows.length === 0 ? ['none'] : table.rows.slice(scrolled, scrolled + page);
  const where =
    table.rows.length > page
      ? `${scrolled + 1}–${Math.min(scrolled + page, table.rows.length)} of ${formatCount(table.rows.length)}  `
      : '';
  const room = Array.from({ length: Math.max(0, page - shown.length) }, () => '');
  const foot = output.style('dim', cut(`${where}${KEYS}`, columns));
  return { lines: [...head, ...shown, ...room, foot].slice(0, rows), scrolled, page };
}
