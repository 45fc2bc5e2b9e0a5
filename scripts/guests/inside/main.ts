/**
 * Runs in a guest, by the Node that is tried: `node main.js PLAN`, PLAN being a {@link Plan} as JSON. It serves and fetches files under the
 * preload, runs `socket-tune verify`, silences a peer, and prints one finding.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { arch, platform, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileRound, Finding, Mark, Verdicts } from '../finding.js';
import { ask } from './client.js';
import { fallSilent } from './dead-peer.js';
import { type Asked, fetchFiles, writeFiles } from './files.js';
import { firstLine, type Running, runNode } from './server.js';

/** What the host asks of the program. */
export interface Plan {
  /** Directories for sample files, on different file systems. */
  readonly directories: readonly string[];
  /** Whether the page cache may be emptied: in a guest of its own. */
  readonly dropCaches: boolean;
  /** Arguments of `socket-tune verify` that try every option. */
  readonly verify: readonly string[];
}

const MARK: Mark = 'guest-finding:';
const APP = fileURLToPath(new URL('app.js', import.meta.url));
const CLI = fileURLToPath(new URL('../node_modules/socket-tune/dist/cli.js', import.meta.url));
const DEAD_PEER_SECONDS = 3;

/** A vector entry of getauxval(3): include/uapi/linux/auxvec.h. */
const AT_PAGESZ = 6n;

function pageSize(): number | undefined {
  if (platform() !== 'linux') return undefined;
  const file = readFileSync('/proc/self/auxv');
  const vector = new BigUint64Array(file.length / 8);
  new Uint8Array(vector.buffer).set(file);
  const index = vector.findIndex((word, at) => at % 2 === 0 && word === AT_PAGESZ);
  return index < 0 ? undefined : Number(vector[index + 1]);
}

interface Verification {
  readonly constant: string;
  readonly target: string;
  readonly outcome: { readonly verdict: string; readonly cause?: string };
}

async function verify(args: readonly string[], scratch: string): Promise<Verdicts> {
  const { status, stdout, stderr } = await runNode([CLI, ...args], {}, scratch, 'verify').ended;
  const common = { status: Number(status) };
  if (!stdout.startsWith('[')) {
    return { ...common, counts: {}, unsupported: [], refused: [], failure: `${stdout}${stderr}` };
  }
  const all = JSON.parse(stdout) as Verification[];
  const counts: Record<string, number> = {};
  for (const { outcome } of all) counts[outcome.verdict] = (counts[outcome.verdict] ?? 0) + 1;
  const namesOf = (verdict: string, text: (one: Verification) => string): string[] => [
    ...new Set(all.filter(({ outcome }) => outcome.verdict === verdict).map(text)),
  ];
  return {
    ...common,
    counts,
    unsupported: namesOf('unsupported', ({ constant }) => constant),
    refused: namesOf('refused', ({ constant, target, outcome }) => `${constant} (${target}): ${outcome.cause}`),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address === null || typeof address === 'string' ? 0 : address.port));
    });
  });
}

interface Server {
  readonly running: Running;
  readonly asked: Asked;
  readonly talker: number;
}

async function startServer(scratch: string): Promise<Server> {
  const inspector = `127.0.0.1:${await freePort()}`;
  // Elsewhere there is no such option, and a warning would say so.
  const options = platform() === 'linux' ? { SOCKET_TUNE_DEAD_PEER: `${DEAD_PEER_SECONDS}s` } : {};
  const env = { SOCKET_TUNE_INSPECT: inspector, ...options };
  const running = runNode(['--import', 'socket-tune/register', APP], env, scratch, 'app');
  const ports = JSON.parse(await firstLine(running)) as { http: number; talker: number };
  const asked = { app: `http://127.0.0.1:${ports.http}`, inspector: `http://${inspector}` };
  return { running, asked, talker: ports.talker };
}

async function rounds({ asked }: Server, { directories, dropCaches }: Plan): Promise<FileRound[]> {
  const results: FileRound[] = [];
  for (const directory of directories) {
    const files = writeFiles(directory);
    results.push(await fetchFiles(asked, 'warm', directory, files));
    if (!dropCaches) continue;
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    results.push(await fetchFiles(asked, 'cold', directory, files));
  }
  return results;
}

async function find(plan: Plan, scratch: string): Promise<Finding> {
  const server = await startServer(scratch);
  const { app } = server.asked;
  const fileRounds = await rounds(server, plan);
  const ends = async (): Promise<string[]> => JSON.parse(String((await ask(`${app}/ends`)).body)) as string[];
  const deadPeer = platform() === 'linux' ? await fallSilent(server.talker, DEAD_PEER_SECONDS, ends) : undefined;
  await ask(`${app}/end`);
  const { status, stderr } = await server.running.ended;
  const verdicts = await verify(plan.verify, scratch);
  const size = pageSize();
  return {
    node: process.version,
    platform: platform(),
    arch: arch(),
    kernel: release(),
    ...(size === undefined ? {} : { pageSize: size }),
    verify: verdicts,
    rounds: fileRounds,
    ...(deadPeer === undefined ? {} : { deadPeer }),
    status,
    stderr,
  };
}

async function main(plan: Plan): Promise<void> {
  const scratch = join(plan.directories[0] ?? '.', 'scratch');
  mkdirSync(scratch, { recursive: true });
  try {
    writeFileSync(1, `${MARK} ${JSON.stringify(await find(plan, scratch))}\n`);
  } catch (error) {
    console.error(error);
    for (const file of readdirSync(scratch)) console.error(file, readFileSync(join(scratch, file), 'utf8'));
    process.exitCode = 1;
  }
}

await main(JSON.parse(process.argv[2] ?? '') as Plan);
