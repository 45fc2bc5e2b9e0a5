/**
 * `npm start`: an unmodified example app, stock and under the preload, side by side. Makes sample files, fetches them from
 * both in turn, and prints what a request cost, what was tuned, what the kernel says of it, and how the bytes travelled. It
 * takes 12 seconds, and up to 10 more where the machine is busy. `npm start -- --serve` keeps the tuned app serving until Ctrl+C.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { numberLabel } from '../bench/page/label.js';
import { changeText, isTooNoisy, type Ratio, ratioOf, TOO_NOISY } from '../bench/ratio.js';
import { interleave } from '../bench/rounds.js';
import { median } from '../bench/statistics.js';
import type { OptionOutcome } from '../src/index.js';
import type { Report } from '../src/report/report.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const APP = join(root, 'examples/http-files.js');
const PRELOAD = pathToFileURL(join(root, 'dist/register.js')).href;

/** Node's compiler is at work for thousands of requests, which do not count; most of it is done with the first file. */
const FILES = [
  { name: '10 KB', path: '10k.bin', bytes: 10_000, rounds: 15, warmUp: { requests: 1500, milliseconds: 1300 } },
  { name: '1 MB', path: '1m.bin', bytes: 1_000_000, rounds: 5, warmUp: { requests: 200, milliseconds: 150 } },
  { name: '10 MB', path: '10m.bin', bytes: 10_000_000, rounds: 5, warmUp: { requests: 20, milliseconds: 150 } },
] as const;

/** What ends a measurement: whichever comes first. */
interface Limit {
  readonly requests: number;
  readonly milliseconds: number;
}

const ROUND: Limit = { requests: Number.POSITIVE_INFINITY, milliseconds: 130 };
/** As many as the client asks at a time: a server that waits for each has its waiting counted, too. */
const CONNECTIONS = 8;

interface App {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Start the example app, stock or tuned, and wait until it says where it listens. */
async function startApp(files: string, nodeOptions: readonly string[], env: NodeJS.ProcessEnv): Promise<App> {
  const child = spawn(process.execPath, [...nodeOptions, APP], {
    env: { ...process.env, PORT: '0', ROOT: files, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const url = /http:\/\/\S+/.exec(output)?.[0];
    if (url !== undefined) return { url, process: child };
  }
  throw new Error(`the app ended before it listened: ${output}`);
}

async function stopApp(app: App): Promise<void> {
  const ended = once(app.process, 'exit');
  app.process.kill('SIGTERM');
  await ended;
}

/** Time on a CPU of all threads, in microseconds; undefined where there is no /proc. */
function cpuTime(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, time) => sum + time, 0) / 1000;
  } catch {
    return undefined;
  }
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
}

function fetchFile(agent: Agent, url: string, onChunk: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.on('data', onChunk).on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
}

async function hashOf(agent: Agent, url: string): Promise<string> {
  const hash = createHash('sha256');
  await fetchFile(agent, url, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}

/** CPU of the app per request, in microseconds. */
async function costOf(agent: Agent, app: App, path: string, limit: Limit): Promise<number | undefined> {
  const { pid = 0 } = app.process;
  const before = cpuTime(pid);
  const until = performance.now() + limit.milliseconds;
  let requests = 0;
  const oneAfterAnother = async (): Promise<void> => {
    do {
      requests++;
      await fetchFile(agent, `${app.url}/${path}`, () => undefined);
    } while (requests < limit.requests && performance.now() < until);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, oneAfterAnother));
  const after = cpuTime(pid);
  return before === undefined || after === undefined ? undefined : (after - before) / requests;
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  }
}

function outcomeCells(outcome: OptionOutcome | undefined): string[] {
  if (outcome === undefined) return ['-', '-'];
  return [outcome.kernel === undefined ? '-' : String(outcome.kernel), outcome.verdict];
}

function printTuning(report: Report): void {
  const [listener] = report.listeners;
  if (listener === undefined) return;
  const { outcomes, accepted } = listener;
  const options = [...new Set([...outcomes, ...accepted].map((outcome) => outcome.option))];
  const rows = options.map((option) => {
    const onListener = outcomes.find((outcome) => outcome.option === option);
    const onAccepted = accepted.find((outcome) => outcome.option === option);
    const either = onListener ?? onAccepted;
    const cause = onListener?.cause ?? onAccepted?.cause ?? '';
    const asked = String(either?.asked ?? '-');
    return [either?.constant ?? option, asked, ...outcomeCells(onListener), ...outcomeCells(onAccepted), cause];
  });
  console.log('\nWhat was tuned, and what the kernel says of it:\n');
  printTable([['option', 'asked', 'listener', '', 'accepted socket', '', ''], ...rows]);
}

function printTravel({ files }: Report): void {
  const copied = Object.values(files.copiedBytes).reduce((sum, bytes) => sum + bytes, 0);
  console.log('\nHow the bytes travelled under the preload:\n');
  printTable([
    ['by sendfile(2)', `${files.sendfileBytes} bytes of ${files.reroutedStreams} file streams`],
    ['of these streams, copied', `${copied} bytes ${JSON.stringify(files.copiedBytes)}`],
    ['file streams not rerouted', JSON.stringify(files.notRerouted)],
  ]);
}

/** What a file cost, of both apps. */
interface Compared {
  readonly name: string;
  readonly stock: readonly number[];
  readonly tuned: readonly number[];
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

/** Node's compiler gives up on code whose connections close for the first time, and begins anew. */
const WARM_UPS = 3;

async function warmUpOnce(app: App, path: string, limit: Limit): Promise<void> {
  const agent = newAgent();
  await costOf(agent, app, path, limit);
  agent.destroy();
}

/** Stock and tuned take turns, so that whatever else the machine does meets both. */
async function compareFile(
  agent: Agent,
  apps: readonly App[],
  { name, path, rounds, warmUp }: (typeof FILES)[0 | 1 | 2],
): Promise<Compared> {
  for (const app of apps) for (let time = 0; time < WARM_UPS; time++) await warmUpOnce(app, path, warmUp);
  const [stock = [], tuned = []] = await interleave(apps, rounds, (app) => costOf(agent, app, path, ROUND));
  return { name, stock: stock.filter(isNumber), tuned: tuned.filter(isNumber) };
}

function costCell(costs: readonly number[]): string {
  const [least, greatest] = [Math.min(...costs), Math.max(...costs)];
  return `${numberLabel(median(costs))} (${numberLabel(least)}–${numberLabel(greatest)})`;
}

function ratioText(ratio: Ratio): string {
  return isTooNoisy(ratio) ? TOO_NOISY : `${ratio.value.toFixed(2)} (${changeText(ratio)})`;
}

const WHAT_TO_SEE = `
What to see: in each row the tuned app takes less CPU than the stock one, and every byte is the same. At 10 KB, which is copied by
fewer calls, about a third to more than a half less; at 1 MB and 10 MB, which sendfile(2) sends without a copy, a half to five sixths
less; less than that on a busy machine. Figures are medians of the rounds (least–greatest), the ratio is that of the medians. Where
the ranges overlap widely, this machine has other work: try again when it has none. npm run bench -- --quick takes two minutes and compares more.`;

async function compare(agent: Agent, stock: App, tuned: App): Promise<void> {
  const rows = [['file', 'stock, µs', 'tuned, µs', 'tuned ÷ stock', 'same bytes']];
  for (const file of FILES) {
    const same =
      (await hashOf(agent, `${stock.url}/${file.path}`)) === (await hashOf(agent, `${tuned.url}/${file.path}`));
    const costs = await compareFile(agent, [stock, tuned], file);
    const figures =
      costs.stock.length === 0
        ? ['-', '-', '-']
        : [costCell(costs.stock), costCell(costs.tuned), ratioText(ratioOf(costs.tuned, costs.stock))];
    rows.push([file.name, ...figures, same ? 'yes' : 'NO']);
    if (!same) process.exitCode = 1;
  }
  console.log('\nCPU of the server for one request, warmed up, stock and tuned in turn:\n');
  printTable(rows);
  console.log(WHAT_TO_SEE);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { serve: { type: 'boolean', default: false } } });
  const directory = mkdtempSync(join(tmpdir(), 'socket-tune-demo-'));
  try {
    for (const { path, bytes } of FILES) writeFileSync(join(directory, path), randomBytes(bytes));
    const reportFile = join(directory, 'report.json');
    console.log('The same app twice, not a line of it changed:\n');
    console.log(`  stock:  node ${APP}\n  tuned:  node --import socket-tune/register ${APP}`);
    const stock = await startApp(directory, [], {});
    const tuned = await startApp(directory, ['--import', PRELOAD], { SOCKET_TUNE_REPORT: reportFile });
    const agent = newAgent();
    console.log('\nMeasuring: about 12 seconds, more on a busy machine …');
    await compare(agent, stock, tuned);
    agent.destroy();
    await stopApp(stock);
    if (values.serve) {
      console.log(`\nThe tuned app goes on serving ${tuned.url}/10m.bin until Ctrl+C.`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), once(tuned.process, 'exit')]);
    }
    if (tuned.process.exitCode === null) await stopApp(tuned);
    const report: Report = JSON.parse(readFileSync(reportFile, 'utf8'));
    printTuning(report);
    printTravel(report);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
