// Bun's own file server: routes that are files, without JavaScript a request.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Part of Bun that we use; its types are not installed. */
interface BunRuntime {
  file(path: string): ConstructorParameters<typeof Response>[0];
  serve(options: { port: number; hostname: string; routes: Record<string, Response> }): { readonly port: number };
}

const { Bun: bun } = globalThis as unknown as { readonly Bun: BunRuntime };

const directory = process.env.FILES ?? '.';
const routes = Object.fromEntries(
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => [`/${name}`, new Response(bun.file(join(directory, name)))]),
);
const { port } = bun.serve({ port: 0, hostname: '127.0.0.1', routes });
console.log(port);

process.on('SIGTERM', () => process.exit());
