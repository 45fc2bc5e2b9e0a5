import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is not answered: with this status, and these headers. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** What is looked at of a request. */
export interface Asked extends Pick<IncomingMessage, 'method' | 'headers'> {
  readonly path: string;
  /** The address of this machine that the connection came to. */
  readonly localAddress: string | undefined;
}

/** Counts and names of options, and no peer's address: scrapers ask for it by the name of a service. */
const METRICS = '/metrics';

function hostName(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/** Programs on this machine alone reach it. An address that is not known is taken for one. */
function isLoopback(address: string | undefined): boolean {
  return address === undefined || /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/**
 * Why a request is refused; undefined if it is not. A page of somebody else's whose name has been made to point here (DNS
 * rebinding) sends that name as the Host: only addresses, localhost, and the host that we were told to listen on are ours.
 * Over other addresses than loopback, where services have names that we do not know, metrics are for every name.
 */
export function whyRefused({ method, headers, path, localAddress }: Asked, host: string): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, headers: { Allow: 'GET, HEAD' }, text: 'only GET and HEAD\n' };
  }
  const name = hostName(headers.host ?? '');
  if (isIP(name) !== 0 || name === 'localhost' || name === host.toLowerCase()) return undefined;
  if (isLoopback(localAddress)) return { status: 403, headers: {}, text: 'this host name is not ours\n' };
  if (path === METRICS) return undefined;
  return {
    status: 403,
    headers: {},
    text: 'by this host name there is only /metrics; ask by an address for the rest\n',
  };
}
