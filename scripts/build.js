// Makes two things from one compilation:
//   build/  every TypeScript file as a module of its own, which the tests, the benchmarks and the demo run;
//   dist/   what is published: two bundles and the declarations.

import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/**
 * The preload and the programmatic API must be one module instance, or an application that imports 'socket-tune' would
 * not see what the preload installed. So dist/register.js imports dist/index.js and holds nothing of src/ itself.
 */
const oneInstance = {
  name: 'one-instance',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ importer, path }) => {
      if (importer !== join(root, 'build/register.js')) return undefined;
      if (path === './src/index.js') return { path: './index.js', external: true };
      return { errors: [{ text: `register.ts may import only './src/index.js', not '${path}'` }] };
    });
  },
};

function clean() {
  // A module that was renamed or deleted must not live on in the output, where something could still import it.
  for (const directory of ['build', 'dist']) rmSync(directory, { recursive: true, force: true });
}

function compile() {
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.json'], { stdio: 'inherit' });
  } catch (error) {
    // The compiler has said what is wrong; a stack trace of this script would only bury it.
    process.exit(error.status ?? 1);
  }
}

// The bundles exist for start-up time: reading two files costs a fraction of resolving and reading every module. They
// are not minified, so that a stack trace or a debugger shows code that people can read.
async function bundle(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'warning',
    plugins: [oneInstance],
  });
}

function publishDeclarations() {
  cpSync('build/register.d.ts', 'dist/types/register.d.ts');
  cpSync('build/src', 'dist/types/src', { recursive: true, filter: (source) => !source.endsWith('.js') });
}

clean();
compile();
await bundle('build/src/index.js', 'dist/index.js');
await bundle('build/register.js', 'dist/register.js');
publishDeclarations();
