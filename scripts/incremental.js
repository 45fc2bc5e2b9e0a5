// Lets the compiler write only what has changed, where its record of the last build still holds.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The compiler's record. Outside of build/, so that it does not look like something that was built. */
const RECORD = 'node_modules/.cache/socket-tune/build.tsbuildinfo';

export const INCREMENTAL = ['--incremental', '--tsBuildInfoFile', RECORD];

function filesIn(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** What the compiler makes of the project, as it is now. */
function outputs() {
  const { include, exclude } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  const sources = include.flatMap((path) => (path.endsWith('.ts') ? [path] : filesIn(path)));
  return sources
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .filter((file) => !exclude.some((directory) => file.startsWith(`${directory}/`)))
    .flatMap((file) => [file.replace(/ts$/, 'js'), file.replace(/ts$/, 'd.ts')])
    .map((file) => join('build', file));
}

/** The sources that the compiler has a record of. */
function recordedSources() {
  const { fileNames } = JSON.parse(readFileSync(RECORD, 'utf8'));
  return new Set(fileNames.map((name) => relative('.', join(dirname(RECORD), name))));
}

function sourceOf(output) {
  return output.replace(/^build\//, '').replace(/(?:\.d\.ts|\.js)$/, '.ts');
}

/**
 * Whether every output is there as the compiler wrote it. The compiler itself skips an output that it has written once,
 * whether or not it is still there. A source that is new has no output yet, and is no reason to begin anew.
 */
function isRecordTrue(compiled) {
  if (!existsSync(RECORD)) return false;
  const { mtimeMs: recorded } = statSync(RECORD);
  const known = recordedSources();
  return [...compiled].every((file) =>
    existsSync(file) ? statSync(file).mtimeMs <= recorded : !known.has(sourceOf(file)),
  );
}

/**
 * Removes what is in build/ without being an output: a module that was renamed or deleted must not live on, where something
 * could still import it. Removes everything where the compiler's record does not hold.
 */
export function removeStaleOutputs() {
  const compiled = new Set(outputs());
  if (!isRecordTrue(compiled)) {
    for (const path of ['build', RECORD]) rmSync(path, { recursive: true, force: true });
  }
  for (const file of filesIn('build')) if (!compiled.has(file)) rmSync(file);
  mkdirSync(dirname(RECORD), { recursive: true });
}

/** Marks the outputs as the compiler's own: who edits one later makes it newer than the record. */
export function sealRecord() {
  const now = new Date();
  utimesSync(RECORD, now, now);
}
