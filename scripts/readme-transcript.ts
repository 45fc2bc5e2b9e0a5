/**
 * `npm run test:readme`: the first five minutes of a user. In an empty folder it writes the files and runs the commands that the README
 * shows between `<!-- transcript -->` and `<!-- /transcript -->`, with the package as npm packs it. It fails where a command fails, or
 * where its output is not what the README shows.
 *
 * In the README: a block of `js` that begins with `// NAME` is a file. In a block of `console` a line that begins with `$ ` is a command,
 * and what follows is its output. `…` stands for any text, or as a line of its own for any lines. A number stands for any number, but 0.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const SECTION = /<!-- transcript -->([\s\S]*?)<!-- \/transcript -->/;
const BLOCK = /```(\w+)\n([\s\S]*?)```/g;
const ANY = '…';

/** The README's port may be taken here. */
const PORT = /\b8080\b/g;

/** Longest time for one command: an installation from a slow registry. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 20;

interface Step {
  readonly command: string;
  readonly expected: readonly string[];
}

interface Transcript {
  readonly files: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...expected] = part.trimEnd().split('\n');
      return { command, expected };
    });
}

/** @throws Error if the README has no transcript */
function readTranscript(readme: string): Transcript {
  const [, section] = SECTION.exec(readme) ?? [];
  if (section === undefined) throw new Error('the README has no transcript');
  const files = new Map<string, string>();
  const steps: Step[] = [];
  for (const [, language, content = ''] of section.matchAll(BLOCK)) {
    const [, name] = /^\/\/ (\S+)\n/.exec(content) ?? [];
    if (language === 'js' && name !== undefined) files.set(name, content);
    if (language === 'console') steps.push(...stepsOf(content));
  }
  return { files, steps };
}

/** A line of the README as a pattern. */
function patternOf(line: string): RegExp {
  const source = line
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\d+(?:(?:\\\.|,)\d+)*/g, (number) => (number === '0' ? '\\b0\\b' : '\\d+(?:[.,]\\d+)*'))
    .replaceAll(ANY, '.*')
    .replace(/\s+/g, '\\s+');
  return new RegExp(`^\\s*${source}\\s*$`);
}

/** The first expected line that the output does not have in its place; undefined if it has all. */
function findMissing(expected: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  let at = 0;
  let mayskip = false;
  for (const line of expected.filter((one) => one.trim() !== '')) {
    if (line.trim() === ANY) {
      mayskip = true;
      continue;
    }
    const pattern = patternOf(line);
    const found = mayskip ? lines.findIndex((one, index) => index >= at && pattern.test(one)) : at;
    if (found === -1 || !pattern.test(lines[found] ?? '')) return line;
    at = found + 1;
    mayskip = false;
  }
  return undefined;
}

/** A shell that runs one command after the other. */
class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #output = '';

  constructor(cwd: string) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:NODE_|npm_|SOCKET_TUNE)/i.test(name)),
    );
    this.#child = spawn('bash', ['-c', 'exec 2>&1; exec bash -s'], {
      cwd,
      env: { ...env, NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** Run a command, and return its output and status. One in the background has to print what is expected of it. */
  async run({ command, expected }: Step): Promise<{ output: string; status: number }> {
    this.#output = '';
    const end = 'end of the command, status';
    this.#child.stdin.write(`${command}\nprintf '\\n%s\\n' "${end} $?"\n`);
    const isOver = (): boolean =>
      this.#output.includes(end) &&
      (!command.endsWith('&') || findMissing(expected, this.#withoutEnd(end)) === undefined);
    for (const start = performance.now(); !isOver(); ) {
      if (performance.now() - start > PATIENCE_MS) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const [, status] = new RegExp(`${end} (\\d+)`).exec(this.#output) ?? [];
    return { output: this.#withoutEnd(end), status: Number(status) };
  }

  #withoutEnd(end: string): string {
    return this.#output.replace(new RegExp(`^${end} \\d+$`, 'm'), '');
  }

  close(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function pack(directory: string): string {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory];
  return join(directory, execFileSync('npm', args, { cwd: root, encoding: 'utf8' }).trim());
}

/** The package that is tried, in the place of the published one. */
function withTarball(command: string, tarball: string): string {
  return command.startsWith('npm install') ? command.replace(/(?<= )socket-tune(?= |$)/, tarball) : command;
}

async function main(): Promise<void> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll(PORT, String(await freePort()));
  const { files, steps } = readTranscript(readme);
  const packed = mkdtempSync(join(tmpdir(), 'packed-'));
  const folder = mkdtempSync(join(tmpdir(), 'first-minutes-'));
  const tarball = pack(packed);
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  const shell = new Shell(folder);
  const began = performance.now();
  const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
  try {
    for (const step of steps) {
      const start = performance.now();
      const command = withTarball(step.command, tarball);
      const { output, status } = await shell.run({ ...step, command });
      const missing = findMissing(step.expected, output);
      console.log(
        `${missing === undefined && status === 0 ? 'ok    ' : 'FAILED'} $ ${step.command} (${seconds(start)})`,
      );
      if (missing === undefined && status === 0) continue;
      console.log(missing === undefined ? `its status is ${status}` : `not in its output: ${missing}`);
      console.log(output.replace(/^/gm, '       '));
      process.exitCode = 1;
      return;
    }
    console.log(`${steps.length} commands of the README, ${seconds(began)}`);
  } finally {
    shell.close();
    for (const directory of [packed, folder]) rmSync(directory, { recursive: true, force: true });
  }
}

await main();
