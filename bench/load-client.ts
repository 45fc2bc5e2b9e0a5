import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withClient } from './client.js';
import { compile, hasCompiler } from './compiler.js';
import { lineReader } from './lines.js';
import { CLIENT_CORE, pinned } from './machine.js';
import { withScratch } from './scratch.js';

/** What is fetched again and again, with one request at a time on each of some connections. */
export interface Target {
  readonly port: number;
  /** http: on connections that are kept. raw: on one connection for each request. */
  readonly protocol: 'http' | 'raw';
  readonly path: string;
  readonly bodyLength: number;
  readonly connections: number;
}

/** A run is over when the time is up, or when so many requests were begun, and all that were begun are through. */
export interface Limit {
  readonly seconds: number;
  readonly requests?: number;
}

export interface Done {
  readonly requests: number;
  readonly seconds: number;
}

/** A client whose connections are open, with a request behind them. */
export interface LoadClient {
  run(limit: Limit): Promise<Done>;
  close(): Promise<void>;
}

export type OpenClient = (target: Target) => Promise<LoadClient>;

const ENDLESS = Number.MAX_SAFE_INTEGER;

/** The client in C, of bench/apps/load-client.c: on each request it costs the machine less than any server does. */
async function openCompiled(program: string, target: Target): Promise<LoadClient> {
  const { port, protocol, path, bodyLength, connections } = target;
  const operands = [port, protocol, path, bodyLength, connections].map(String);
  const [command, ...rest] = pinned(CLIENT_CORE, [program, ...operands]);
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const line = lineReader(child);
  await line();
  return {
    async run({ seconds, requests = ENDLESS }) {
      child.stdin.write(`${Math.ceil(seconds * 1e3)} ${requests}\n`);
      const [made = Number.NaN, took = Number.NaN] = (await line()).split(' ').map(Number);
      return { requests: made, seconds: took };
    },
    async close() {
      child.stdin.end();
      await exit;
    },
  };
}

/** Have clients opened, by the C compiler's grace or, where there is none, in a process of Node's that speaks HTTP only. */
export function withLoadClients<T>(use: (open: OpenClient) => Promise<T>): Promise<T> {
  if (!hasCompiler) return withClient((client) => use((target) => client.openLoad(target)));
  return withScratch((scratch) => {
    const program = compile('load-client', scratch);
    return use((target) => openCompiled(program, target));
  });
}
