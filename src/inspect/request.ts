import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** The answer to a request that is refused. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The facts about a request that decide. */
export interface Asked extends Pick<IncomingMessage, 'method' | 'headers'> {
  readonly path: string;
  /** The address of this machine that the connection came to. */
  readonly localAddress: string | undefined;
}

/** Scrapers and probes ask by the name of a service. What they get has counts and names of options, and no address of a peer. */
const FOR_PROGRAMS: readonly string[] = ['/metrics', '/ready', '/live'];

function hostName(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/** Only programs on this machine reach such an address. An unknown address counts as loopback, which is the stricter case. */
function isLoopback(address: string | undefined): boolean {
  return address === undefined || /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/**
 * Why a request is refused; undefined if it is allowed.
 *
 * A foreign web page whose name was made to point here (DNS rebinding) sends that name as the Host. Allowed are addresses,
 * localhost, and the configured host. On other addresses than loopback, services have names that we cannot know: there,
 * any name gets what programs ask for.
 */
export function whyRefused({ method, headers, path, localAddress }: Asked, host: string): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, headers: { Allow: 'GET, HEAD' }, text: 'only GET and HEAD\n' };
  }
  const name = hostName(headers.host ?? '');
  if (isIP(name) !== 0 || name === 'localhost' || name === host.toLowerCase()) return undefined;
  if (isLoopback(localAddress)) return { status: 403, headers: {}, text: 'this host name is not ours\n' };
  if (FOR_PROGRAMS.includes(path)) return undefined;
  return {
    status: 403,
    headers: {},
    text: 'by this host name there are only /metrics, /ready and /live; ask by an address for the rest\n',
  };
}
