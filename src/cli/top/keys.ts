import type { Order } from './fitted-table.js';
import { type Choice, orderOf, type Screen } from './screen.js';
import { VIEWS, type View } from './views.js';

type Act = (choice: Choice, screen: Screen) => Choice;

function scrolledBy(rows: (screen: Screen) => number): Act {
  return (choice, screen) => ({ ...choice, scrolled: Math.max(0, screen.scrolled + rows(screen)) });
}

function viewed(view: View | undefined): Act {
  return (choice) => (view === undefined || view === choice.view ? choice : { ...choice, view, scrolled: 0 });
}

function nextView(step: number): Act {
  return (choice, screen) => {
    const index = VIEWS.indexOf(choice.view) + step;
    return viewed(VIEWS.at(index % VIEWS.length))(choice, screen);
  };
}

function ordered(change: (order: Order, view: View) => Order): Act {
  return (choice) => {
    const order = change(orderOf(choice), choice.view);
    return { ...choice, orders: new Map(choice.orders).set(choice.view, order), scrolled: 0 };
  };
}

function sortColumn(step: number): Act {
  return ordered((order, { heads }) => {
    const index = order.by === undefined ? -1 : heads.indexOf(order.by);
    // From no column, the way to the left leads to the last one.
    const next = index < 0 && step < 0 ? -1 : (index + step) % heads.length;
    return { ...order, by: heads.at(next) };
  });
}

const UP = scrolledBy(() => -1);
const DOWN = scrolledBy(() => 1);
const PAGE_UP = scrolledBy(({ page }) => -page);
const PAGE_DOWN = scrolledBy(({ page }) => page);
const HOME = scrolledBy(() => Number.NEGATIVE_INFINITY);
const END = scrolledBy(() => Number.MAX_SAFE_INTEGER);
const LEFT = sortColumn(-1);
const RIGHT = sortColumn(1);

/** What the keys do, as a terminal sends them: in both of its modes for arrows. */
const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ...['\u001b[A', '\u001bOA', 'k'].map((key) => [key, UP] as const),
  ...['\u001b[B', '\u001bOB', 'j'].map((key) => [key, DOWN] as const),
  ...['\u001b[5~', '\u0002'].map((key) => [key, PAGE_UP] as const),
  ...['\u001b[6~', '\u0006', ' '].map((key) => [key, PAGE_DOWN] as const),
  ...['\u001b[H', '\u001bOH', '\u001b[1~', 'g'].map((key) => [key, HOME] as const),
  ...['\u001b[F', '\u001bOF', '\u001b[4~', 'G'].map((key) => [key, END] as const),
  ...['\u001b[D', '\u001bOD', '<'].map((key) => [key, LEFT] as const),
  ...['\u001b[C', '\u001bOC', '>'].map((key) => [key, RIGHT] as const),
  ['r', ordered((order) => ({ ...order, isAscending: !order.isAscending }))],
  ['\t', nextView(1)],
  ['\u001b[Z', nextView(-1)],
  ...VIEWS.map((view, index) => [String(index + 1), viewed(view)] as const),
]);

/** The keys of a chunk of input: escape sequences, and single characters. */
export function keysIn(input: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal sends them.
  return input.match(/\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Z]|./gsu) ?? [];
}

/** What the user sees after a key. */
export function pressed(choice: Choice, key: string, screen: Screen): Choice {
  return ACTS.get(key)?.(choice, screen) ?? choice;
}
