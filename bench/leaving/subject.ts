import type { Client } from './client.js';

/** A server, and how it is started. */
export interface Subject {
  /** See leaving-server.ts. */
  readonly kind: string;
  /** The app closes it on a signal. */
  readonly hasHandler: boolean;
  readonly client: Client;
  /** Of socket-tune; without the preload if there are none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** For TLS. */
  readonly certificate?: { readonly key: string; readonly cert: string };
}

/** The environment of leaving-server.ts. */
export function serverVariables(subject: Subject, port: number): Record<string, string> {
  const { kind, hasHandler, variables, certificate } = subject;
  const tls = certificate === undefined ? {} : { KEY: certificate.key, CERT: certificate.cert };
  return { KIND: kind, HANDLER: hasHandler ? '1' : '0', PORT: String(port), ...tls, ...variables };
}
