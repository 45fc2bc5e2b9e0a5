// Runs one suite of the tests, as built: node scripts/test.js SUITE [arguments for mocha]. `npm test` runs all of them.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** Suites by the folders of test/ that they are, and how long they take on two idle cores. */
const SUITES = {
  differential: { folders: ['differential'], time: 'about 2 minutes' },
  cluster: { folders: ['cluster'], time: 'about 30 seconds' },
  register: { folders: ['register'], time: 'about a minute' },
  'third-party': { folders: ['third-party', 'examples'], time: 'about 30 seconds' },
  network: { folders: ['network'], time: 'about 40 seconds' },
  cli: { folders: ['cli', 'inspect'], time: 'about 20 seconds' },
  tools: { folders: ['bench', 'fuzz'], time: 'about 20 seconds' },
  // What is in no other: it needs no processes of the packed package.
  unit: { time: 'about 15 seconds' },
};

function patternsOf(folders) {
  return folders.map((folder) => `build/test/${folder}/**/*.test.js`);
}

/** What mocha is to run, as its arguments. */
function selection({ folders }, everything) {
  if (folders !== undefined) return patternsOf(folders);
  const others = Object.values(SUITES).flatMap((other) => other.folders ?? []);
  return [...patternsOf(others).flatMap((pattern) => ['--ignore', pattern]), everything];
}

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(SUITES, name)) {
  console.error(`There is no suite '${name}', but ${Object.keys(SUITES).join(', ')}.`);
  process.exit(1);
}
const suite = SUITES[name];
const { spec, 'reporter-option': _, ...options } = JSON.parse(readFileSync('.mocharc.json', 'utf8'));
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/mocha/bin/mocha.js',
    '--no-config',
    ...Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)]),
    '--reporter-option',
    `time=${suite.time}`,
    ...selection(suite, spec),
    ...rest,
  ],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
