import type { Kind, Parsed } from '../options/kinds.js';

/** Where the page and the metrics are served: on the first port of a range that is free. */
export interface InspectAddress {
  readonly host: string;
  readonly ports: readonly [first: number, last: number];
}

const EXPECTED_ADDRESS =
  'off, or an address and a port, or a range of ports, such as 127.0.0.1:9465, [::1]:9465, 9465 or 127.0.0.1:9465-9472';

const ADDRESS_FORM = /^(?:(?:\[([\da-f:.]+)\]|([a-z\d.-]*)):)?(\d{1,5})(?:-(\d{1,5}))?$/i;

const LOOPBACK = '127.0.0.1';

/** `host:port`. The host defaults to 127.0.0.1, the port may be a range, and `off` is undefined. */
export function parseInspectAddress(text: string): Parsed<InspectAddress | undefined> {
  const bare = text.trim();
  if (bare.toLowerCase() === 'off') return { value: undefined };
  const match = ADDRESS_FORM.exec(bare);
  if (match === null) return { expected: EXPECTED_ADDRESS };
  const first = Number(match[3]);
  const last = Number(match[4] ?? match[3]);
  if (first < 1 || last > 65535 || last < first) return { expected: EXPECTED_ADDRESS };
  return { value: { host: match[1] || match[2] || LOOPBACK, ports: [first, last] } };
}

/** The text of an address, as a config has it. */
export const INSPECT_ADDRESS: Kind<string> = {
  parse(text) {
    const parsed = parseInspectAddress(text);
    return 'value' in parsed ? { value: text } : parsed;
  },
  describeValues: () => EXPECTED_ADDRESS,
  display: (value) => value,
  accepts: (value) => typeof value === 'string' && 'value' in parseInspectAddress(value),
  expected: () => "'off', or an address and a port such as '127.0.0.1:9465'",
};
