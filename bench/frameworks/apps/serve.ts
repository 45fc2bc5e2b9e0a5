import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

/** Directory of the served files. */
export const directory = process.env.FILES ?? '.';

/** The benchmarks read the port, and end the server by SIGTERM. */
export function announce(server: Server): void {
  process.on('SIGTERM', () => process.exit());
  console.log((server.address() as AddressInfo).port);
}

export const ADDRESS = { port: 0, host: '127.0.0.1', backlog: 4096 } as const;

/** Serve by HTTP; by HTTPS if KEY and CERT name the files for it. */
export function serve(listener: RequestListener): void {
  const { KEY, CERT } = process.env;
  const server =
    KEY === undefined || CERT === undefined
      ? createServer(listener)
      : createSecureServer({ key: readFileSync(KEY), cert: readFileSync(CERT) }, listener);
  server.listen(ADDRESS, () => announce(server));
}
