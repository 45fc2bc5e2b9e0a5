import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compile } from '../compiler.js';
import { lineReader } from '../lines.js';
import { withScratch, writeBodies } from '../scratch.js';

/** Figures by name, as a program of this folder prints them. Null: this system has it not. */
export type Figures = Readonly<Record<string, number | null>>;

/** What was considered and left out, by the name of its program, with its figures. */
export type Considered = Readonly<Record<string, Figures>>;

function figuresOf(output: string): Figures {
  const pairs = output
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return Object.fromEntries(pairs.map(([name = '', value]) => [name, value === '-' ? null : Number(value)]));
}

function run(program: string, ...args: readonly (string | number)[]): Figures {
  return figuresOf(execFileSync(program, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** @param there what runs the far end */
async function zerocopy(
  program: string,
  there: readonly string[],
  address: string,
  megabytes: number,
): Promise<Figures> {
  const [command = program, ...rest] = [...there, program, 'sink', address];
  const sink = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await lineReader(sink)();
    return run(program, 'send', address, port, megabytes);
  } finally {
    const exit = once(sink, 'exit');
    sink.kill('SIGKILL');
    await exit;
  }
}

function ip(...args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}

/** Over a pair of virtual interfaces, if this process may make them. */
async function overVeth(program: string, megabytes: number): Promise<Figures> {
  const name = `considered${process.pid}`;
  const [here, far] = [`cs${process.pid}a`, `cs${process.pid}b`];
  const prefix = `198.18.${process.pid % 256}`;
  try {
    const isMade =
      ip('netns', 'add', name) &&
      ip('link', 'add', here, 'type', 'veth', 'peer', 'name', far, 'netns', name) &&
      ip('addr', 'add', `${prefix}.1/30`, 'dev', here) &&
      ip('link', 'set', here, 'up') &&
      ip('-n', name, 'addr', 'add', `${prefix}.2/30`, 'dev', far) &&
      ip('-n', name, 'link', 'set', far, 'up');
    if (!isMade) return { plain: null, zerocopy: null, copied: null };
    return await zerocopy(program, ['ip', 'netns', 'exec', name], `${prefix}.2`, megabytes);
  } finally {
    ip('netns', 'del', name);
    ip('link', 'del', here);
  }
}

/**
 * Measure all that docs/considered.md tells of.
 *
 * @param effort 1 for figures, less to see that it runs
 */
export function measureConsidered(effort: number): Promise<Considered> {
  return withScratch(async (scratch) => {
    const [files, copies, steering, tls] = ['small-file', 'zerocopy', 'steering', 'ktls'].map((name) =>
      compile(name, scratch, 'considered'),
    ) as [string, string, string, string];
    writeBodies(scratch, [
      { name: 'small', bytes: 10 << 10 },
      { name: 'large', bytes: 8 << 20 },
    ]);
    const megabytes = Math.ceil(1000 * effort);
    return {
      'io_uring, µs a file of 10 KB': run(files, join(scratch, 'small'), Math.ceil(100_000 * effort)),
      'MSG_ZEROCOPY on loopback, µs a MB': await zerocopy(copies, [], '127.0.0.1', megabytes),
      'MSG_ZEROCOPY on veth, µs a MB': await overVeth(copies, megabytes),
      'steering, µs a connection': run(steering, Math.ceil(4000 * effort), Math.ceil(8 * effort)),
      'kTLS, µs a MB': run(tls, join(scratch, 'large'), Math.ceil(30 * effort)),
    };
  });
}
