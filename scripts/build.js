// Makes two things from one compilation:
//   build/  every TypeScript file as a module of its own, which the tests, the benchmarks and the demo run;
//   dist/   what is published: six bundles, the benchmarks and the declarations.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/**
 * What the preload installs and what the API does must be one module instance, or the API would not see what is installed.
 * So dist/runtime.js holds all of it, dist/index.js names the public part, and dist/register.js requires it on first use. What
 * reads a config, and keeps no state, is in dist/config/config.js once more, for the preload to require without the rest.
 */
const runtimeStaysOutside = {
  name: 'runtime-stays-outside',
  setup({ onResolve }) {
    onResolve({ filter: /\/runtime\.js$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: './runtime.js', external: true },
    );
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

// The bundles exist for start-up time: reading one file costs a fraction of resolving and reading every module. They
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
    plugins: [runtimeStaysOutside],
  });
}

/** What measures from outside is to meet the API as users do, in the one instance that there is. */
const apiStaysOutside = {
  name: 'api-stays-outside',
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/(index|api\/tcp-info)\.js$/ }, () => ({ path: '../index.js', external: true }));
  },
};

/** Programs in C are compiled where they run, so their sources go along. */
function copyPrograms(target) {
  const programs = readdirSync('bench', { recursive: true }).filter((path) => path.endsWith('.c'));
  for (const path of programs) cpSync(join('bench', path), join(target, path));
}

/** The texts that the licences of bundled packages ask us to hand on. */
function writeLicences(inputs, target) {
  const packages = new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  const texts = [...packages].sort().map((name) => {
    const directory = join('node_modules', name);
    const file = readdirSync(directory).find((candidate) => /^licen[cs]e/i.test(candidate));
    if (file === undefined) throw new Error(`${directory} has no licence`);
    return `${name}\n\n${readFileSync(join(directory, file), 'utf8').trim()}\n`;
  });
  writeFileSync(target, texts.join(`\n${'-'.repeat(80)}\n\n`));
}

/**
 * `socket-tune bench`: the command, and the programs that it runs as processes of their own. Minified, as most of it is a
 * library for charts.
 */
async function bundleBenchmarks() {
  const { metafile } = await build({
    entryPoints: ['published', 'apply-process', 'client-process', 'apps/*'].map((name) => `build/bench/${name}.js`),
    outbase: 'build/bench',
    outdir: 'dist/bench',
    bundle: true,
    splitting: true,
    external: ['koffi'],
    minify: true,
    metafile: true,
    legalComments: 'none',
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'warning',
    plugins: [apiStaysOutside],
  });
  writeLicences(Object.keys(metafile.inputs), 'dist/bench/LICENCES.txt');
  copyPrograms('dist/bench');
}

function publishDeclarations() {
  cpSync('build/register.d.ts', 'dist/types/register.d.ts');
  cpSync('build/src', 'dist/types/src', { recursive: true, filter: (source) => !source.endsWith('.js') });
}

clean();
compile();
copyPrograms('build/bench');
await bundle('build/src/runtime.js', 'dist/runtime.js');
await bundle('build/src/index.js', 'dist/index.js');
await bundle('build/src/config/config.js', 'dist/config/config.js');
await bundle('build/src/inspect/server.js', 'dist/inspect/server.js');
await bundle('build/register.js', 'dist/register.js');
await bundle('build/src/cli/bin.js', 'dist/cli.js');
chmodSync('dist/cli.js', 0o755);
await bundleBenchmarks();
publishDeclarations();
