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

/** Packages that npm installs with ours. All others are bundled. */
const { dependencies, optionalDependencies } = readManifest('.');
const PRODUCTION = Object.keys({ ...dependencies, ...optionalDependencies });

/**
 * The preload and the API must share one module instance, else the API would not see what is installed. So dist/runtime.js
 * holds all of it, dist/index.js exports the public part, and dist/register.js requires it on first use. The code that reads
 * a config keeps no state. dist/config/config.js is a second copy of it, which the preload requires without the rest.
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

/** The page's TypeScript is for browsers: a project of its own, which refers to that of all the rest. */
const PAGE = 'src/inspect/page';

function compile() {
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', '.', ...INCREMENTAL], { stdio: 'inherit' });
    sealRecord();
    execFileSync('node_modules/.bin/tsc', ['-p', PAGE], { stdio: 'inherit' });
  } catch (error) {
    // The compiler has printed what is wrong. A stack trace of this script would only hide it.
    process.exit(error.status ?? 1);
  }
}

const FOR_NODE = { bundle: true, platform: 'node', target: 'node20.19', format: 'esm', logLevel: 'warning' };

// The bundles are for start-up time: one file is read much faster than many are resolved and read. They are not minified,
// so that stack traces and debuggers show readable code.
async function bundle(entry, outfile) {
  await build({ ...FOR_NODE, entryPoints: [entry], outfile, packages: 'external', plugins: [runtimeStaysOutside] });
}

/**
 * Text that can stand inside an element of HTML.
 *
 * @throws Error if it would end the element
 */
function inside(element, text) {
  if (text.toLowerCase().includes(`</${element}`)) throw new Error(`${PAGE}: a ${element} that ends itself`);
  return text;
}

/** The page's files as texts in a module, which src/inspect/page-files.d.ts declares. */
async function writePageFiles() {
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, 'page.ts')],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    charset: 'utf8',
    logLevel: 'warning',
  });
  const texts = {
    HTML: readFileSync(join(PAGE, 'page.html'), 'utf8'),
    STYLE: inside('style', readFileSync(join(PAGE, 'page.css'), 'utf8')),
    SCRIPT: inside('script', outputFiles[0].text),
  };
  const lines = Object.entries(texts).map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`);
  writeFileSync('build/src/inspect/page-files.js', lines.join(''));
}

/** Minified packages take half the space. Our own code stays readable. */
const packagesAreMinified = {
  name: 'packages-are-minified',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].+\.[cm]?js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path), { minify: true, legalComments: 'none' });
      return { contents: code };
    });
  },
};

/** The modules of a bundle. One that is imported but not used has no bytes in the output. */
function modulesIn({ outputs }) {
  const used = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
}

/** cli-table3 requires it for colours of its own. src/cli/output.ts turns these off; our colours come from node:util. */
const NEVER_REACHED = '@colors/colors';

/** CommonJS modules in a bundle require modules of Node, but an ES module has no `require`. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module';
const require = createRequireOfBundle(import.meta.url);`;

/**
 * A bundle with the packages that it uses, so that no app installs them.
 *
 * A module that is imported on demand gets a file of its own, and costs nothing before.
 *
 * @returns the modules in the bundle
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

/** The benchmarks import the API from dist/index.js as users do: there is one instance. */
const apiStaysOutside = {
  name: 'api-stays-outside',
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/(index|api\/tcp-info)\.js$/ }, () => ({ path: '../index.js', external: true }));
  },
};

/** Programs in C are compiled where they run, so their sources are published: but those of scenarios that are not. */
function copyPrograms(target, isWanted = () => true) {
  const programs = readdirSync('bench', { recursive: true }).filter((path) => path.endsWith('.c') && isWanted(path));
  for (const path of programs) cpSync(join('bench', path), join(target, path));
}

/** The directory of the package that a module belongs to. */
function packageOf(path) {
  let directory = dirname(path);
  // A package.json without a name only tells the module type of a folder.
  while (!(existsSync(join(directory, 'package.json')) && readManifest(directory).name !== undefined)) {
    directory = dirname(directory);
  }
  return directory;
}

function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/** Licences and notices of the bundled packages, which must be published with them. */
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
  // For scripts/check.js, which finds the required licences by itself.
  writeFileSync('build/bundled-modules.json', JSON.stringify(modules, undefined, 2));
}

/**
 * `socket-tune bench`: the command, and the programs that it runs as child processes. Minified, as most of it is a library
 * for charts.
 *
 * @returns the modules in the bundle
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
  copyPrograms('dist/bench', (path) => !/^(?:considered|proxies)\//.test(path));
  return modulesIn(metafile);
}

/** The published declarations, and all that these import. Users can name no others. */
function publishDeclarations() {
  const published = new Set(['register.d.ts', 'src/index.d.ts']);
  // The loop also visits what is added while it runs.
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

const API = 'src/index';

/** The doc of an exported function or class, where it is declared. */
function docOf(name) {
  const declared = new RegExp(
    `(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)export declare (?:function|class|const) ${name}\\b`,
  );
  for (const file of readdirSync('dist/types/src', { recursive: true }).filter((path) => path.endsWith('.d.ts'))) {
    const [, doc] = declared.exec(readFileSync(join('dist/types/src', file), 'utf8')) ?? [];
    if (doc !== undefined) return doc;
  }
  throw new Error(`${API}.ts exports ${name}, whose doc was not found`);
}

/**
 * What `require('socket-tune')` gets: the same module, by a file of CommonJS, with declarations of CommonJS. A program of CommonJS may name
 * types of an ES module only if it says so each time; these declarations do.
 */
function publishCommonJs() {
  const text = readFileSync(`dist/types/${API}.d.ts`, 'utf8');
  const names = (pattern) => Array.from(text.matchAll(pattern), ([, list]) => list.split(',')).flat();
  const types = names(/^export type \{([^}]+)\}/gm).map((name) => name.trim());
  const values = names(/^export \{([^}]+)\}/gm)
    .map((name) => name.trim())
    .filter(Boolean);
  const esm = "from './index.js' with { 'resolution-mode': 'import' };";
  const lines = [
    `import type * as api ${esm}`,
    `export type { ${types.join(', ')} } ${esm}`,
    'export type SocketTuneError = api.SocketTuneError;',
    ...values.map((name) => `${docOf(name)}export declare const ${name}: typeof api.${name};`),
  ];
  writeFileSync(`dist/types/${API}.d.cts`, `${lines.join('\n')}\n`);
  // Where a CommonJS module is imported, Node takes its names from its text (cjs-module-lexer). The last assignment counts.
  const code = [
    "'use strict';",
    '',
    "module.exports = require('./index.js');",
    `0 && (module.exports = { ${values.join(', ')} });`,
  ];
  writeFileSync('dist/index.cjs', `${code.join('\n')}\n`);
}

clean();
compile();
copyPrograms('build/bench');
await writePageFiles();
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
publishCommonJs();
