import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is not answered: with this status, and these headers. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

function hostName(header: string): string {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/**
 * Why a request is refused; undefined if it is not. A page of somebody else's whose name has been made to point here (DNS
 * rebinding) sends that name as the Host: only addresses, localhost, and the host that we were told to listen on are ours.
 */
export function whyRefused(request: Pick<IncomingMessage, 'method' | 'headers'>, host: string): Refusal | undefined {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, headers: { Allow: 'GET, HEAD' }, text: 'only GET and HEAD\n' };
  }
  const name = hostName(headers.host ?? '');
  if (isIP(name) !== 0 || name === 'localhost' || name === host.toLowerCase()) return undefined;
  return { status: 403, headers: {}, text: 'this host name is not ours\n' };
}
