// Everything that can be checked without running the product: `npm run check`.
//
// All the checks run, even when one fails, so that one run tells everything that is to be done.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /^dist\/index\.js$/,
  /^dist\/register\.js$/,
  /^dist\/config\/config\.js$/,
  /^dist\/runtime\.js$/,
  /^dist\/cli\.js$/,
  /^dist\/inspect\/server\.js$/,
  /^dist\/bench\/(?:published|apply-process|client-process|chunk-\w+)\.js$/,
  /^dist\/bench\/apps\/[a-z-]+\.js$/,
  /^dist\/bench\/(?:apps|link)\/[a-z-]+\.c$/,
  /^dist\/bench\/LICENCES\.txt$/,
  /^dist\/types\/register\.d\.ts$/,
  /^dist\/types\/src\/.+\.d\.ts$/,
];

const failed = [];

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

function checkPackage() {
  const directory = mkdtempSync(join(tmpdir(), 'socket-tune-pack-'));
  try {
    check('the package can be built and packed', () => run('npm', 'pack', '--pack-destination', directory));
    const [name] = readdirSync(directory);
    if (name === undefined) return;
    const tarball = join(directory, name);
    check('the package holds what it should, and nothing else', () => unexpectedFiles(tarball));
    check('the package is sound (publint)', () => run('publint', 'run', tarball, '--strict'));
    check('its types resolve (are the types wrong)', () => run('attw', tarball, '--profile', 'esm-only'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

check('format and lint (biome)', () =>
  run('biome', 'ci', '--colors=off', '--error-on-warnings', '--max-diagnostics=100'),
);
check('the rules of our own fire (scripts/lint)', () => run(process.execPath, 'scripts/lint/self-test.js'));
check('who imports whom (dependency-cruiser)', () => run('depcruise', 'src', 'register.ts'));
check('types (tsc)', () => run('tsc', '-p', 'tsconfig.json', '--noEmit'));
check('nothing unused (knip)', () => run('knip'));
checkPackage();

if (failed.length > 0) {
  console.log(`\n${failed.length} failed: ${failed.join(', ')}`);
  process.exit(1);
}
