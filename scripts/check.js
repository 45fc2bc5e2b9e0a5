// Everything that can be checked without running the product: `npm run check`.
//
// All the checks run, even when one fails, so that one run tells everything that is to be done.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** What users get. A file that is in the package and not here, or here and not in the package, is a mistake. */
const published = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^CHANGELOG\.md$/,
  /^SECURITY\.md$/,
  /^docs\/.+/,
  /^examples\/deploy\/.+/,
  /^dist\/index\.c?js$/,
  /^dist\/register\.js$/,
  /^dist\/config\/config\.js$/,
  /^dist\/runtime\.js$/,
  /^dist\/cli\.js$/,
  /^dist\/LICENCES\.txt$/,
  /^dist\/inspect\/(?:server|prometheus-\w+|chunk-\w+)\.js$/,
  /^dist\/bench\/(?:published|apply-process|client-process|chunk-\w+)\.js$/,
  /^dist\/bench\/apps\/[a-z-]+\.js$/,
  /^dist\/bench\/(?:apps|link)\/[a-z-]+\.c$/,
  /^dist\/types\/register\.d\.ts$/,
  /^dist\/types\/src\/index\.d\.cts$/,
  /^dist\/types\/src\/.+\.d\.ts$/,
];

/** What an app installs with us. Everything else that we use is bundled, with its licence. */
const productionDependencies = ['koffi', 'require-in-the-middle'];

/** What the README says. KB and MB are those of `du`. */
const mostPacked = 560 * 1024;
const mostInstalled = 6.5 * 1024 * 1024;

const failed = [];

/** What a reader can keep in mind. */
const mostFiles = 14;
const mostLines = 400;

/** Runs one check, which returns what is wrong with the project: nothing, if all is well. */
function check(name, findProblems) {
  const started = performance.now();
  const problems = findProblems().trim();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${problems === '' ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (problems === '') return;
  failed.push(name);
  console.log(problems.replace(/^/gm, '       '));
}

/** Runs a command of node_modules/.bin or of the system: its output, if it failed, is the problem. */
function run(command, ...args) {
  const path = `node_modules/.bin:${process.env.PATH}`;
  const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, PATH: path, NO_COLOR: '1' } });
  if (result.status === 0) return '';
  return `${result.stdout ?? ''}${result.stderr ?? ''}` || `${command}: ${result.error ?? `exit ${result.status}`}`;
}

function crowdedPlaces() {
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', 'src', 'test'], { encoding: 'utf8' });
  const files = stdout.split('\n').filter(existsSync);
  const folders = [...new Set(files.map(dirname))];
  const filesIn = (folder) => files.filter((file) => dirname(file) === folder).length;
  const lines = (file) => readFileSync(file, 'utf8').split('\n').length - 1;
  const sources = files.filter((file) => file.startsWith('src/'));
  return [
    ...folders.map((folder) => [folder, filesIn(folder), mostFiles, 'files']),
    ...sources.map((file) => [file, lines(file), mostLines, 'lines']),
  ]
    .filter(([, size, most]) => size > most)
    .map(([place, size, most, what]) => `${place}: ${size} ${what}, and not at most ${most}`)
    .join('\n');
}

/** A dependence on Node's internals names the test that would notice a change: "Test: hooks/files/region". */
function missingTests() {
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard', 'src/*.ts'], { encoding: 'utf8' });
  const sources = stdout.split('\n').filter(existsSync);
  const named = sources.flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').matchAll(/\bTest: ([\w/-]+)/g), ([, test]) => [file, test]),
  );
  return named
    .filter(([, test]) => !existsSync(`test/${test}.test.ts`))
    .map(([file, test]) => `${file}: there is no test/${test}.test.ts`)
    .join('\n');
}

function unexpectedFiles(tarball) {
  const { stdout } = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
  const files = stdout
    .split('\n')
    .filter(Boolean)
    .map((file) => file.replace(/^package\//, ''));
  return [
    ...files.filter((file) => !published.some((pattern) => pattern.test(file))).map((file) => `not wanted: ${file}`),
    ...published.filter((pattern) => !files.some((file) => pattern.test(file))).map((pattern) => `missing: ${pattern}`),
  ].join('\n');
}

function readFromPackage(tarball, file) {
  return spawnSync('tar', ['-xzOf', tarball, `package/${file}`], { encoding: 'utf8' }).stdout;
}

function unexpectedDependencies(tarball) {
  const { dependencies, optionalDependencies } = JSON.parse(readFromPackage(tarball, 'package.json'));
  const names = Object.keys({ ...dependencies, ...optionalDependencies });
  if (names.sort().join() === productionDependencies.join()) return '';
  return `an app installs ${names.join(', ')} with us, and not ${productionDependencies.join(', ')}`;
}

/** Bytes on the disk, as `du` tells them. */
function usedBy(paths) {
  const { stdout } = spawnSync('du', ['-skc', ...paths], { encoding: 'utf8' });
  return Number.parseInt(stdout.trimEnd().split('\n').at(-1), 10) * 1024;
}

/** Without a network: what npm installs for an app is here, in the versions of the lock file. */
function excessOfSize(tarball, directory) {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const installed = Object.entries(packages).flatMap(([path, { dev }]) => (path === '' || dev === true ? [] : [path]));
  spawnSync('tar', ['-xzf', tarball, '-C', directory]);
  const sizes = [
    ['packed', statSync(tarball).size, mostPacked],
    ['installed', usedBy([join(directory, 'package'), ...installed.filter(existsSync)]), mostInstalled],
  ];
  return sizes
    .filter(([, size, most]) => !(size <= most))
    .map(([what, size, most]) => `${what}: ${size / 1024} KB, and not at most ${most / 1024} KB`)
    .join('\n');
}

/** esbuild names the modules that went into the bundles, and each of their packages has to be named with its licence. */
function missingLicences(tarball) {
  const entries = readFromPackage(tarball, 'dist/LICENCES.txt').split(/^-{80}$/m);
  const modules = JSON.parse(readFileSync('build/bundled-modules.json', 'utf8'));
  const directories = new Set(modules.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const isComplete = (directory) => {
    const { name, version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    const entry = entries.find((text) => text.trim().startsWith(`${name} ${version}\n`)) ?? '';
    const licence = readdirSync(directory).find((file) => /^licen[cs]e/i.test(file));
    return licence !== undefined && entry.includes(readFileSync(join(directory, licence), 'utf8').trim());
  };
  if (directories.size === 0) return 'no bundled packages were found';
  return [...directories]
    .flatMap((directory) => (isComplete(directory) ? [] : [`no licence: ${directory}`]))
    .join('\n');
}

/** The anchor of a heading, as GitHub and npm make it. */
function anchorOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
  return text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** On the package's page, and in node_modules, a link leads nowhere unless its target is in the package. */
function brokenLinks(tarball) {
  const { stdout } = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
  const files = stdout.split('\n').map((file) => file.replace(/^package\//, ''));
  const pages = files.filter((file) => file.endsWith('.md'));
  const anchors = new Map(
    pages.map((page) => [
      page,
      [...readFromPackage(tarball, page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading)),
    ]),
  );
  const isThere = (page, link) => {
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    const isFile = files.includes(target) || files.some((file) => file.startsWith(`${target}/`));
    return isFile && (anchor === undefined || (anchors.get(target) ?? []).includes(anchor));
  };
  return pages
    .flatMap((page) =>
      [...readFromPackage(tarball, page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link]) => link)
        .filter((link) => !/^[a-z]+:/.test(link) && !isThere(page, link))
        .map((link) => `${page}: ${link}`),
    )
    .join('\n');
}

/** The newest version that the changelog describes is that of the package. */
function unloggedVersion() {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [, logged] = /^## \[(\d[^\]]*)\]/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
  return logged === version ? '' : `CHANGELOG.md: ${logged}; package.json: ${version}`;
}

function checkPackage() {
  const directory = mkdtempSync(join(tmpdir(), 'socket-tune-pack-'));
  try {
    check('the package can be built and packed', () => run('npm', 'pack', '--pack-destination', directory));
    const [name] = readdirSync(directory);
    if (name === undefined) return;
    const tarball = join(directory, name);
    check('the package holds what it should, and nothing else', () => unexpectedFiles(tarball));
    check('an app installs two packages with it', () => unexpectedDependencies(tarball));
    check('the package is as small as the README says', () => excessOfSize(tarball, directory));
    check('the licences of all bundled packages are in it', () => missingLicences(tarball));
    check('links of its pages lead to what is in it', () => brokenLinks(tarball));
    check('the package is sound (publint)', () => run('publint', 'run', tarball, '--strict'));
    // The preload has no types to speak of, and is loaded by a flag. All the rest has types for CommonJS too.
    check('its types resolve (are the types wrong)', () => {
      const everywhere = run('attw', tarball, '--profile', 'node16', '--exclude-entrypoints', 'register');
      return everywhere || run('attw', tarball, '--profile', 'esm-only');
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

check('format and lint (biome)', () =>
  run('biome', 'ci', '--colors=off', '--error-on-warnings', '--max-diagnostics=100'),
);
check('the rules of our own fire (scripts/lint)', () => run(process.execPath, 'scripts/lint/self-test.js'));
check('who imports whom (dependency-cruiser)', () => run('depcruise', 'src', 'register.ts'));
check('folders of at most 14 files, files of at most 400 lines', crowdedPlaces);
check('the tests that comments name are there', missingTests);
check('types (tsc)', () => run('tsc', '-p', '.') || run('tsc', '-p', 'src/inspect/page'));
check('comments of options are those of their rows', () => run(process.execPath, 'scripts/option-types.js', '--check'));
check('the changelog has this version', unloggedVersion);
check('nothing unused (knip)', () => run('knip'));
checkPackage();

if (failed.length > 0) {
  console.log(`\n${failed.length} failed: ${failed.join(', ')}`);
  process.exit(1);
}
