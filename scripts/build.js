// Makes two things from one compilation:
//   build/  every TypeScript file as a module of its own, which the tests, the benchmarks and the demo run;
//   dist/   what is published: six bundles, the benchmarks, the declarations, and the licences of what is bundled.

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { INCREMENTAL, removeStaleOutputs, sealRecord } from './incremental.js';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** What is installed with the package; everything else that it uses is bundled. */
const { dependencies, optionalDependencies } = readManifest('.');
const PRODUCTION = Object.keys({ ...dependencies, ...optionalDependencies });

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
  rmSync('dist', { recursive: true, force: true });
  removeStaleOutputs();
}

function compile() {
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.json', ...INCREMENTAL], { stdio: 'inherit' });
    sealRecord();
  } catch (error) {
    // The compiler has said what is wrong; a stack trace of this script would only bury it.
    process.exit(error.status ?? 1);
  }
}

const FOR_NODE = { bundle: true, platform: 'node', target: 'node20.19', format: 'esm', logLevel: 'warning' };

// The bundles exist for start-up time: reading one file costs a fraction of resolving and reading every module. They
// are not minified, so that a stack trace or a debugger shows code that people can read.
async function bundle(entry, outfile) {
  await build({ ...FOR_NODE, entryPoints: [entry], outfile, packages: 'external', plugins: [runtimeStaysOutside] });
}

/** Without comments and long names, packages take half the space. Our own code stays readable. */
const packagesAreMinified = {
  name: 'packages-are-minified',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].+\.[cm]?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path), { minify: true, legalComments: 'none' });
      return { contents: code };
    });
  },
};

/** What is imported and then not used is left out of a bundle. */
function modulesIn({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
}

/** cli-table3 requires it for its own colours alone, which src/cli/output.ts turns off: ours come from node:util. */
const NEVER_REACHED = '@colors/colors';

/** CommonJS modules in a bundle require modules of Node, and an ES module has no `require` of its own. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/**
 * A bundle with the packages that it uses, which nobody needs to install then.
 *
 * What is imported on demand stays in a file of its own, and costs nothing before.
 *
 * @returns the modules that went into it
 */
async function bundleWithPackages(entries, outdir) {
  const { metafile } = await build({
    ...FOR_NODE,
    entryPoints: entries,
    outdir,
    splitting: true,
    external: [...PRODUCTION, NEVER_REACHED],
    metafile: true,
    banner: { js: REQUIRE },
    plugins: [packagesAreMinified],
  });
  return modulesIn(metafile);
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

/** The directory of the package that a module belongs to. */
function packageOf(path) {
  let directory = dirname(path);
  // A package.json without a name only says what kind of modules a folder has.
  while (!(existsSync(join(directory, 'package.json')) && readManifest(directory).name !== undefined)) {
    directory = dirname(directory);
  }
  return directory;
}

function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/** The texts that the licences of bundled packages ask us to hand on. */
function writeLicences(modules, target) {
  const packages = new Set(modules.filter((path) => path.includes('node_modules/')).map(packageOf));
  const texts = [...packages].map((directory) => {
    const { name, version } = readManifest(directory);
    const files = readdirSync(directory).filter((file) => /^(?:licen[cs]e|notice)/i.test(file));
    if (!files.some((file) => /^licen[cs]e/i.test(file))) throw new Error(`${directory} has no licence`);
    const all = files.map((file) => readFileSync(join(directory, file), 'utf8').trim());
    return `${name} ${version}\n\n${all.join('\n\n')}\n`;
  });
  writeFileSync(target, texts.sort().join(`\n${'-'.repeat(80)}\n\n`));
  // For scripts/check.js, which finds out by itself whose licences have to be there.
  writeFileSync('build/bundled-modules.json', JSON.stringify(modules, undefined, 2));
}

/**
 * `socket-tune bench`: the command, and the programs that it runs as processes of their own. Minified, as most of it is a
 * library for charts.
 *
 * @returns the modules that went into it
 */
async function bundleBenchmarks() {
  const { metafile } = await build({
    ...FOR_NODE,
    entryPoints: ['published', 'apply-process', 'client-process', 'apps/*'].map((name) => `build/bench/${name}.js`),
    outbase: 'build/bench',
    outdir: 'dist/bench',
    splitting: true,
    external: PRODUCTION,
    minify: true,
    metafile: true,
    legalComments: 'none',
    plugins: [apiStaysOutside],
  });
  copyPrograms('dist/bench');
  return modulesIn(metafile);
}

/** The declarations that the published ones lead to: who uses the package can name no others. */
function publishDeclarations() {
  const published = new Set(['register.d.ts', 'src/index.d.ts']);
  // A set that grows while it is walked is walked to its end.
  for (const file of published) {
    const text = readFileSync(join('build', file), 'utf8');
    for (const [, path] of text.matchAll(/\b(?:from |import\(|import )['"](\.[^'"]+)\.js['"]/g)) {
      published.add(join(dirname(file), `${path}.d.ts`));
    }
    const target = join('dist/types', file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

clean();
compile();
copyPrograms('build/bench');
await bundle('build/src/runtime.js', 'dist/runtime.js');
await bundle('build/src/index.js', 'dist/index.js');
await bundle('build/src/config/config.js', 'dist/config/config.js');
await bundle('build/register.js', 'dist/register.js');
const bundledModules = [
  await bundleWithPackages({ server: 'build/src/inspect/server.js' }, 'dist/inspect'),
  await bundleWithPackages({ cli: 'build/src/cli/bin.js' }, 'dist'),
  await bundleBenchmarks(),
];
chmodSync('dist/cli.js', 0o755);
writeLicences(bundledModules.flat(), 'dist/LICENCES.txt');
publishDeclarations();
