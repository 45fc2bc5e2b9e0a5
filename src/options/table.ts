import { withoutPrototype } from '../node/own-properties.js';
import type { OptionValue } from './kinds.js';
import type { OptionKey, OptionValues } from './option-values.js';
import { BEFORE_BIND_ROWS } from './rows/before-bind.js';
import { DARWIN_ROWS } from './rows/darwin.js';
import { INTERNET_ROWS } from './rows/internet.js';
import { PEER_ROWS } from './rows/peers.js';
import { TCP_ROWS } from './rows/tcp.js';
import { UDP_ROWS } from './rows/udp.js';
import type { PlannedOption, SocketOption } from './socket-option.js';

/** THE table: one row an option. Parsing, presets, types, read-back, the README's table and the round-trip test follow from it. */
const OPTION_TABLE = [
  ...TCP_ROWS,
  ...PEER_ROWS,
  ...INTERNET_ROWS,
  ...BEFORE_BIND_ROWS,
  ...UDP_ROWS,
  ...DARWIN_ROWS,
] as const;

// Made from the table by scripts/option-types.js, so that editors show the doc of a key.
export type { OptionKey, OptionValues } from './option-values.js';

/** A row for code that walks the table: its literal types are widened. */
export type OptionRow = SocketOption & {
  readonly key: OptionKey;
  readonly requires?: OptionKey;
};

/** The rows to walk. They inherit nothing from Object.prototype, where an app may have put properties. */
export const OPTION_ROWS: readonly OptionRow[] = OPTION_TABLE.map((row: OptionRow) =>
  withoutPrototype({ ...row, presets: withoutPrototype(row.presets) }),
);

/** The value of an option in a config. */
export function optionValue(values: OptionValues, row: OptionRow): OptionValue | undefined {
  return Object.hasOwn(values, row.key) ? values[row.key] : undefined;
}

/** Options that are not built, because they need more than setsockopt(2). docs/considered.md says why. */
export const PLANNED_OPTIONS: readonly PlannedOption[] = [
  { variable: 'ZEROCOPY', doc: 'Large buffers sent without a copy (MSG_ZEROCOPY).' },
  { variable: 'UDP_GRO', doc: 'Many datagrams in one read (UDP_GRO).' },
];
