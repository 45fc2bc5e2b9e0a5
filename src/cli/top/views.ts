import type { Column } from '../../report/column.js';
import { CONNECTION_COLUMNS } from '../../report/connection-columns.js';
import { DESTINATION_COLUMNS } from '../../report/destination-columns.js';
import { formatBytes, formatCount } from '../../report/format.js';
import type { ListenerRecord } from '../../report/listener-record.js';
import type { ConnectionSnapshot, Snapshot } from '../../report/snapshot.js';
import { type FittedTable, fitTable, type Order, sorted } from './fitted-table.js';

/** One of the tables that a terminal can show. */
export interface View {
  readonly name: string;
  /** Heads of the columns, in their order. */
  readonly heads: readonly string[];
  /** How its rows are sorted at first. */
  readonly order: Order;
  /** Rows that there are, also those that the snapshot does not have. */
  count(snapshot: Snapshot): number;
  table(snapshot: Snapshot, order: Order, width: number): FittedTable;
}

interface ViewOf<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  readonly names: readonly string[];
  readonly by?: string;
  rows(snapshot: Snapshot): readonly T[];
  count?(snapshot: Snapshot): number;
}

function makeView<T>({ name, columns, names, by, rows, count }: ViewOf<T>): View {
  return {
    name,
    heads: columns.map(({ head }) => head),
    order: { by, isAscending: false },
    count: (snapshot) => count?.(snapshot) ?? rows(snapshot).length,
    table: (snapshot, order, width) =>
      fitTable(sorted(rows(snapshot), columns, order), columns, order, { names: new Set(names), width }),
  };
}

/** A way of files, with what went it. */
interface FileWay {
  readonly way: string;
  readonly amount: number;
  readonly text: string;
}

function waysOf(
  title: string,
  amounts: Readonly<Record<string, number>>,
  format: (amount: number) => string,
): FileWay[] {
  return Object.entries(amounts).map(([reason, amount]) => ({
    way: `${title}${reason}`,
    amount,
    text: format(amount),
  }));
}

function fileWays({ report: { files } }: Snapshot): readonly FileWay[] {
  return [
    ...waysOf('', { 'streams rerouted': files.reroutedStreams }, formatCount),
    ...waysOf('', { 'bytes by sendfile': files.sendfileBytes }, formatBytes),
    ...waysOf('bytes copied: ', files.copiedBytes, formatBytes),
    ...waysOf('streams not rerouted: ', files.notRerouted, formatCount),
    ...waysOf('calls without the thread pool: ', files.inlineCalls, formatCount),
    ...waysOf('calls by the thread pool: ', files.pooledCalls, formatCount),
  ];
}

const WAY_COLUMNS: readonly Column<FileWay>[] = [
  { head: 'files', rank: 0, text: ({ way }) => way, key: ({ way }) => way },
  { head: 'amount', rank: 1, text: ({ text }) => text, key: ({ amount }) => amount },
];

function verdictsOf({ outcomes }: ListenerRecord): string {
  const notable = outcomes.filter(({ verdict }) => ['clamped', 'inert', 'refused'].includes(verdict));
  return notable.map(({ constant, verdict }) => `${constant} ${verdict}`).join(', ');
}

function appliedOf({ outcomes }: ListenerRecord): number {
  return outcomes.filter(({ verdict }) => verdict === 'applied').length;
}

const LISTENER_COLUMNS: readonly Column<ListenerRecord>[] = [
  { head: 'listener', rank: 0, text: ({ address }) => address, key: ({ address }) => address },
  {
    head: 'accepted',
    rank: 1,
    text: ({ connections }) => formatCount(connections),
    key: ({ connections }) => connections,
  },
  {
    head: 'waiting',
    rank: 2,
    text: ({ acceptQueue }) => formatCount(acceptQueue?.length),
    key: ({ acceptQueue }) => acceptQueue?.length,
  },
  {
    head: 'longest',
    rank: 4,
    text: ({ acceptQueue }) => formatCount(acceptQueue?.highest),
    key: ({ acceptQueue }) => acceptQueue?.highest,
  },
  {
    head: 'limit',
    rank: 5,
    text: ({ acceptQueue }) => formatCount(acceptQueue?.limit),
    key: ({ acceptQueue }) => acceptQueue?.limit,
  },
  {
    head: 'drops',
    rank: 3,
    text: ({ acceptQueue }) => formatCount(acceptQueue?.drops),
    key: ({ acceptQueue }) => acceptQueue?.drops,
  },
  { head: 'options applied', rank: 6, text: (listener) => formatCount(appliedOf(listener)), key: appliedOf },
  { head: 'other verdicts', rank: 7, text: verdictsOf, key: verdictsOf },
];

export const TOP_CONNECTION_COLUMNS: readonly Column<ConnectionSnapshot>[] = [
  ...CONNECTION_COLUMNS,
  {
    head: 'other bytes',
    rank: 9,
    text: ({ bytesWritten, bytesBySendfile }) => formatBytes(bytesWritten - bytesBySendfile),
    key: ({ bytesWritten, bytesBySendfile }) => bytesWritten - bytesBySendfile,
  },
];

/** All views, in the order of their keys. */
export const VIEWS: readonly [View, ...View[]] = [
  makeView({
    name: 'connections',
    columns: TOP_CONNECTION_COLUMNS,
    names: ['peer', 'listener'],
    by: 'round trip',
    rows: ({ connections }) => connections.shown,
    count: ({ connections }) => connections.open,
  }),
  makeView({
    name: 'destinations',
    columns: DESTINATION_COLUMNS,
    names: ['destination'],
    by: 'open',
    rows: ({ report }) => report.destinations,
  }),
  makeView({
    name: 'listeners',
    columns: LISTENER_COLUMNS,
    names: ['listener', 'other verdicts'],
    by: 'accepted',
    rows: ({ report }) => report.listeners,
  }),
  makeView({ name: 'files', columns: WAY_COLUMNS, names: ['files'], rows: fileWays }),
];
