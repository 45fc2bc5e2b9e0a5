import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One of Node's own tests: a program that exits with 0. */
export interface CoreTest {
  /** What its name begins with: net, http, … */
  readonly group: string;
  readonly name: string;
  readonly file: string;
  /** Options of node that it asks for. */
  readonly flags: readonly string[];
}

export interface Outcome {
  readonly hasPassed: boolean;
  /** The last lines of its output. */
  readonly output: string;
}

const DIRECTORIES = ['parallel', 'sequential'];
const TIMEOUT_MS = 60_000;
const LAST_LINES = 12;

function flagsOf(source: string): string[] {
  const lines = source.matchAll(/^\/\/ Flags:(.*)$/gm);
  return [...lines].flatMap(([, flags = '']) => flags.trim().split(/\s+/)).filter((flag) => flag !== '');
}

/** The tests of some groups, by name. */
export function findTests(sources: string, groups: readonly string[]): CoreTest[] {
  const pattern = new RegExp(`^test-(${groups.join('|')})-.*\\.m?js$`);
  return DIRECTORIES.flatMap((directory) => {
    const path = join(sources, 'test', directory);
    return readdirSync(path).flatMap((name) => {
      const group = pattern.exec(name)?.[1];
      const file = join(path, name);
      return group === undefined ? [] : [{ group, name, file, flags: flagsOf(readFileSync(file, 'utf8')) }];
    });
  });
}

/**
 * Runs a test in a process and a directory of its own.
 *
 * @param place a number for each test of those that run at the same time: ports and directories follow from it (test/common/index.js, tmpdir.js)
 * @param variables further environment variables
 */
export async function runTest(
  { file, flags }: CoreTest,
  place: number,
  scratch: string,
  variables: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const directory = join(scratch, String(place));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const env = {
    ...process.env,
    NODE_TEST_DIR: directory,
    TEST_THREAD_ID: String(place),
    TEST_SERIAL_ID: String(place),
    NODE_COMMON_PORT: String(12_346 + place * 100),
    ...variables,
  };
  const child = spawn(process.execPath, [...flags, file], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  // The whole process group, as a test may leave processes behind.
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(kill, TIMEOUT_MS);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, by) => resolve([status, by]));
  });
  clearTimeout(timer);
  const lines = `${output.trimEnd()}\nended with ${signal ?? code}`.split('\n');
  return { hasPassed: code === 0, output: lines.slice(-LAST_LINES).join('\n') };
}
