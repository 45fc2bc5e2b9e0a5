/** Minor releases of a major one, from the first to the last. Without a last, all later ones. */
type Minors = readonly [first: number, last?: number];

/** A behaviour of Node that not all of its releases have, of those that we support. */
interface Behaviour {
  readonly what: string;
  /** The releases that have it. Major releases after the last one here have it too, unless that one names a last minor release. */
  readonly releases: Readonly<Record<number, Minors>>;
  /** Node's change, or the test that shows the behaviour. */
  readonly source: string;
}

/**
 * Which Node does what: everything that our code or its comments rely on. Where the behaviour shows by itself, code looks at that, not at
 * the version.
 */
export const BEHAVIOURS = {
  keepAliveDetails: {
    what: 'socket.setKeepAlive() takes an interval and a count too, or all as one object.',
    releases: { 24: [19], 26: [4] },
    source: 'https://github.com/nodejs/node/pull/63825',
  },
  typeOfService: {
    what: 'Apps can set the type of service: socket.setTypeOfService().',
    releases: { 24: [15], 25: [6], 26: [0] },
    source: 'https://github.com/nodejs/node/pull/61503',
  },
  boundSocket: {
    what: 'Apps can bind a socket before they connect it, or listen on it: net.BoundSocket.',
    releases: { 24: [19], 26: [4] },
    source: 'https://github.com/nodejs/node/pull/63951',
  },
  noStreamOpen: {
    what: 'fs.ReadStream has no method `open`. Before, it has one that does nothing but warn that it is deprecated.',
    releases: { 25: [0] },
    source: 'https://github.com/nodejs/node/pull/58529',
  },
  showsProxies: {
    what: 'util.inspect(), and so console.log(), shows a Proxy as one. A replacement of a function must be a function.',
    releases: { 26: [0] },
    source: 'https://github.com/nodejs/node/pull/61029',
  },
  internalTls: {
    what: 'lib/_tls_wrap.js is lib/internal/tls/wrap.js. (From 22.22.2 and 24.13.1 on.)',
    releases: { 22: [23], 24: [14], 25: [0] },
    source: 'https://github.com/nodejs/node/pull/57643',
  },
  warnsOfRequiredModules: {
    what: 'An ES module that is loaded by require(), or --require, brings a warning.',
    releases: { 22: [12, 12], 23: [0, 4] },
    source: 'https://github.com/nodejs/node/pull/56194',
  },
  guardsAgents: {
    what: 'http.Agent asks the kernel about an idle connection before a request gets it: `hasPendingRead` in lib/_http_agent.js.',
    releases: { 22: [23], 24: [22], 26: [12] },
    source: 'test/network/pool/stale-pool.test.ts',
  },
  losesEarlyMessages: {
    what: 'With an --import, of whatever, a cluster’s worker loses messages that it is sent at once. It starts later, too.',
    releases: { 20: [0, 20] },
    source: 'test/register/cluster.test.ts',
  },
} as const satisfies Readonly<Record<string, Behaviour>>;

/** Whether a version of Node has a behaviour. */
export function nodeDoes(name: keyof typeof BEHAVIOURS, version = process.versions.node): boolean {
  const { releases }: Behaviour = BEHAVIOURS[name];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [lastMajor = 0] = Object.keys(releases).map(Number).toReversed();
  const [first, last = Number.POSITIVE_INFINITY] = releases[Math.min(major, lastMajor)] ?? [Number.POSITIVE_INFINITY];
  if (major > lastMajor) return last === Number.POSITIVE_INFINITY;
  return minor >= first && minor <= last;
}
