import type { Parsed } from './values.js';

/** Where the page and the metrics are to be found: the first port of a range that is free. */
export interface InspectAddress {
  readonly host: string;
  readonly ports: readonly [first: number, last: number];
}

const EXPECTED =
  'off, or an address and a port, or a range of ports, such as 127.0.0.1:9465, [::1]:9465, 9465 or 127.0.0.1:9465-9472';

const FORM = /^(?:(?:\[([\da-f:.]+)\]|([a-z\d.-]*)):)?(\d{1,5})(?:-(\d{1,5}))?$/i;

const LOOPBACK = '127.0.0.1';

/** `host:port`, where the host may be left out for 127.0.0.1, and the port may be a range; `off` is undefined. */
export function parseInspectAddress(text: string): Parsed<InspectAddress | undefined> {
  const bare = text.trim();
  if (bare.toLowerCase() === 'off') return { value: undefined };
  const match = FORM.exec(bare);
  if (match === null) return { expected: EXPECTED };
  const first = Number(match[3]);
  const last = Number(match[4] ?? match[3]);
  if (first < 1 || last > 65535 || last < first) return { expected: EXPECTED };
  return { value: { host: match[1] || match[2] || LOOPBACK, ports: [first, last] } };
}
