import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { BY_IMPORT, type EndedProcess, readReport, reportFile, runApp } from './node-process.js';

/** Which of the processes have the preload. */
export interface Preloaded {
  readonly parent: boolean;
  readonly child: boolean;
}

/** Options of a socket, as the kernel has them. */
export type KernelOptions = Readonly<Record<string, number>>;

export interface Handover extends Omit<EndedProcess, 'report'> {
  /** What the processes have printed, in order: lines of JSON. */
  readonly lines: readonly unknown[];
  /** By process, the parent first. */
  readonly reports: readonly Report[];
}

/** What apps of these tests begin with: asks the kernel without socket-tune. */
const PRELUDE = `
const cluster = require('cluster');
const net = require('net');
const http = require('http');
const dgram = require('dgram');
const { fork, spawn } = require('child_process');
const koffi = require('koffi');
const getsockopt = koffi.load(null).func('int getsockopt(int, int, int, void *, void *)');
const setsockopt = koffi.load(null).func('int setsockopt(int, int, int, void *, int)');
const OPTIONS = {
  TCP_NODELAY: [6, 1], SO_KEEPALIVE: [1, 9], TCP_KEEPIDLE: [6, 4], TCP_KEEPINTVL: [6, 5], TCP_KEEPCNT: [6, 6],
};
const option = (fd, [level, name]) => {
  const value = new Int32Array(1);
  const failed = getsockopt(fd, level, name, value, Uint32Array.of(4));
  return failed ? 'failed' : value[0];
};
const kernel = ({ _handle: { fd } }) => Object.fromEntries(Object.entries(OPTIONS).map(([name, at]) => [name, option(fd, at)]));
const setOption = ({ _handle: { fd } }, name, value) => setsockopt(fd, ...OPTIONS[name], Int32Array.of(value), 4);
const print = (value) => require('fs').writeSync(1, JSON.stringify(value) + '\\n');
const isParent = process.env.IS_CHILD === undefined;
/** The options for a child process: with the preload or without. */
const childOptions = (more) => ({
  execArgv: JSON.parse(process.env.CHILD_ARGV), env: { ...process.env, IS_CHILD: 'yes' }, ...more,
});
const forkChild = () => fork(__filename, process.argv.slice(2), childOptions());
/** Ask a server, one client at a time, and call back with all that each was answered with. */
const ask = (port, times, done, texts = []) => {
  if (times === 0) return done(texts);
  let text = '';
  const client = net.connect(port, '127.0.0.1').setEncoding('latin1');
  client.write('GET / HTTP/1.1\\r\\nhost: a\\r\\nconnection: close\\r\\n\\r\\n');
  client.on('data', (data) => { text += data; });
  client.on('close', () => ask(port, times - 1, done, [...texts, text]));
};
`;

/** Run an app of several processes, each of which has the preload or not. */
export async function runHandover(
  source: string,
  { parent, child }: Preloaded,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Handover> {
  const pattern = reportFile().replace('.json', '-%p.json');
  const { report: _, ...ended } = await runApp('cjs', PRELUDE + source, {
    preload: parent ? BY_IMPORT : [],
    env: { ...env, SOCKET_TUNE_REPORT: pattern, CHILD_ARGV: JSON.stringify(child ? BY_IMPORT : []) },
    args,
  });
  const prefix = basename(pattern).replace('%p.json', '');
  const files = readdirSync(dirname(pattern)).filter((name) => name.startsWith(prefix));
  const pid = (name: string): number => Number.parseInt(name.slice(prefix.length), 10);
  const reports = files
    .sort((a, b) => pid(a) - pid(b))
    .flatMap((name) => readReport(join(dirname(pattern), name)) ?? []);
  const lines = ended.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
  return { ...ended, lines, reports };
}

/** What the default preset asks for. */
export const TUNED: KernelOptions = {
  TCP_NODELAY: 1,
  SO_KEEPALIVE: 1,
  TCP_KEEPIDLE: 60,
  TCP_KEEPINTVL: 10,
  TCP_KEEPCNT: 6,
};

/** What a socket has that nobody has touched. */
export const UNTOUCHED: KernelOptions = {
  TCP_NODELAY: 0,
  SO_KEEPALIVE: 0,
  TCP_KEEPIDLE: 7200,
  TCP_KEEPINTVL: 75,
  TCP_KEEPCNT: 9,
};
