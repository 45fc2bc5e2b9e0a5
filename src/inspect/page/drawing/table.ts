import { html } from './elements.js';

/** A column of a table, as `socket-tune top` has it too. */
interface Column<Row> {
  readonly head: string;
  text(row: Row): string;
}

/** A table. Where it is too wide for the window, page.css shows each row as a list of heads and texts. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): HTMLTableElement {
  const heads = columns.map(({ head }) => html('th', {}, head));
  const rowOf = (row: Row): HTMLTableRowElement =>
    html('tr', {}, ...columns.map(({ head, text }) => html('td', { 'data-head': head }, text(row))));
  return html('table', {}, html('thead', {}, html('tr', {}, ...heads)), html('tbody', {}, ...rows.map(rowOf)));
}
