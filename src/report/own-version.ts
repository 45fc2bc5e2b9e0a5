import { createRequire } from 'node:module';

/** Version of this package, from its package.json: by its own name, which leads there from a bundle and from a module alike. */
export function ownVersion(): string {
  const { version }: { version: string } = createRequire(import.meta.url)('socket-tune/package.json');
  return version;
}
