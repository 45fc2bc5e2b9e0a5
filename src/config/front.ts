import type { Kind, Parsed } from '../options/kinds.js';
import { hasUnit, isWithin, MILLISECONDS, parseQuantity, type Range } from '../options/quantity.js';

/** What stands in front of servers, and closes connections to them that are idle. */
export interface Front {
  readonly title: string;
  /** Milliseconds after which it closes an idle connection, unless somebody has set another time. */
  readonly idle: number;
  /** What that time is called there, and whether it can be set. */
  readonly setting: string;
  /** Where its vendor says so. */
  readonly source: string;
}

/** The names that `SOCKET_TUNE_BEHIND` takes. */
export const FRONTS = {
  alb: {
    title: 'AWS Application Load Balancer',
    idle: 60_000,
    setting: 'the attribute `idle_timeout.timeout_seconds`',
    source:
      'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#connection-idle-timeout',
  },
  nlb: {
    title: 'AWS Network Load Balancer',
    idle: 350_000,
    setting: 'the attribute `tcp.idle_timeout.seconds` of a TCP listener; fixed for TLS listeners',
    source: 'https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html',
  },
  gcp: {
    title: 'Google Cloud Application Load Balancer',
    idle: 600_000,
    setting: 'fixed: the backend keepalive timeout',
    source: 'https://docs.cloud.google.com/load-balancing/docs/https/request-distribution',
  },
  azure: {
    title: 'Azure Load Balancer',
    idle: 240_000,
    setting: 'the idle timeout of the rule: 4 minutes, unless set to up to 100',
    source: 'https://learn.microsoft.com/en-us/azure/load-balancer/load-balancer-tcp-reset',
  },
  cloudflare: {
    title: 'Cloudflare',
    idle: 900_000,
    setting: 'fixed: the Proxy Idle Timeout',
    source: 'https://developers.cloudflare.com/fundamentals/reference/connection-limits/',
  },
  nginx: {
    title: 'nginx',
    idle: 60_000,
    setting: '`keepalive_timeout` of the `upstream`',
    source: 'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout',
  },
  haproxy: {
    title: 'HAProxy',
    // It has no such time. Every 5 s half of the connections are closed that were too many: after 20 rounds a million is one.
    idle: 100_000,
    setting: 'no time of its own: `pool-purge-delay`, 5 s, in each of which half of the unneeded ones are closed',
    source: 'https://docs.haproxy.org/2.6/configuration.html#5.2-pool-purge-delay',
  },
} as const satisfies Readonly<Record<string, Front>>;

export type FrontName = keyof typeof FRONTS;

/** A front by its name, or the idle time of one in milliseconds. Undefined: nothing is known to stand in front. */
export type Behind = FrontName | number | 'off';

function isName(text: string): text is FrontName {
  return Object.hasOwn(FRONTS, text);
}

const NAMES = Object.keys(FRONTS).filter(isName);

/** From 1 ms to a day. */
const IDLE_RANGE: Range = [1, 86_400_000];

const EXPECTED = `one of ${NAMES.join(', ')}, off, or a time such as 75s`;

/** The kind of `SOCKET_TUNE_BEHIND`. */
export const BEHIND: Kind<Behind> = {
  parse(text): Parsed<Behind> {
    const bare = text.trim().toLowerCase();
    if (bare === 'off') return { value: 'off' };
    if (isName(bare)) return { value: bare };
    // A number alone could be seconds, as load balancers have it, or milliseconds, as Node has it.
    const idle = hasUnit(bare) ? parseQuantity(bare, MILLISECONDS) : undefined;
    return isWithin(idle, IDLE_RANGE) ? { value: idle } : { expected: EXPECTED };
  },
  accepts: (value) => value === 'off' || NAMES.some((name) => name === value) || isWithin(value, IDLE_RANGE),
  describeValues: () => `${NAMES.join(', ')}, off, or milliseconds from ${IDLE_RANGE[0]} to ${IDLE_RANGE[1]}`,
  display: (value) => (typeof value === 'number' ? `${value}ms` : value),
  expected: () =>
    `${NAMES.map((name) => `'${name}'`).join(', ')}, 'off', or a whole number of milliseconds from 1 to ${IDLE_RANGE[1]}`,
};

/** The least `keepAliveTimeout` that a config asks for, in milliseconds; undefined where nothing is known to stand in front. */
export function keepAliveTimeOf({ behind = 'off' }: { readonly behind?: Behind }): number | undefined {
  const idle = frontIdleTime(behind);
  return idle === undefined ? undefined : keepAliveTimeBehind(idle);
}

/** Milliseconds after which what stands in front closes an idle connection; undefined for `off`. */
export function frontIdleTime(behind: Behind): number | undefined {
  if (behind === 'off') return undefined;
  return typeof behind === 'number' ? behind : FRONTS[behind].idle;
}

/**
 * A request may be sent at the end of the idle time, and be lost four times: TCP repeats it after 0.2, 0.4, 0.8 and 1.6 s. Our own time
 * begins earlier than the front's, when the response has left the process. And Node's timers count from the begin of a turn of the loop.
 */
const LEAST_MARGIN = 5000;

/** Long times are kept less exactly by those who have them. Google itself asks for 620 s where its load balancers have 600 s. */
const MARGIN_SHARE = 1 / 12;

/**
 * The least `keepAliveTimeout` of servers with a front: whoever closes first loses requests, so it is to be the front.
 *
 * @param idle milliseconds after which the front closes an idle connection
 * @returns milliseconds, whole seconds: the header `Keep-Alive` has these
 */
export function keepAliveTimeBehind(idle: number): number {
  return Math.ceil((idle + Math.max(LEAST_MARGIN, idle * MARGIN_SHARE)) / 1000) * 1000;
}
