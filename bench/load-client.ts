import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withClient } from './client.js';
import { compile, hasCompiler } from './compiler.js';
import { lineReader } from './lines.js';
import { CLIENT_CORE, pinned } from './machine.js';
import { withScratch } from './scratch.js';

/** The repeated request, one at a time on each connection. */
export interface Target {
  readonly port: number;
  /** http: on connections that are kept alive. raw: one connection a request. */
  readonly protocol: 'http' | 'raw';
  readonly path: string;
  readonly bodyLength: number;
  readonly connections: number;
}

/** End of a run: the time is up, or this many requests have begun. Requests under way are finished. */
export interface Limit {
  readonly seconds: number;
  readonly requests?: number;
}

export interface Done {
  readonly requests: number;
  readonly seconds: number;
}

/** A client with open connections, each after one request. */
export interface LoadClient {
  run(limit: Limit): Promise<Done>;
  close(): Promise<void>;
}

export type OpenClient = (target: Target) => Promise<LoadClient>;

const ENDLESS = Number.MAX_SAFE_INTEGER;

/** The client in C, bench/apps/load-client.c. A request costs it less than any server. */
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

/** Run `use` with a way to open clients: in C, or, without a compiler, in a process of Node's for HTTP only. */
export function withLoadClients<T>(use: (open: OpenClient) => Promise<T>): Promise<T> {
  if (!hasCompiler) return withClient((client) => use((target) => client.openLoad(target)));
  return withScratch((scratch) => {
    const program = compile('load-client', scratch);
    return use((target) => openCompiled(program, target));
  });
}
