import { join } from 'node:path';
import { BY_IMPORT, type NodeProcess, startNode } from '../../support/processes/node-process.js';
import { makeRoutedNetwork, type RoutedNetwork } from './routed-network.js';

/** How a connection of the app ended. */
export interface End {
  readonly name: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly errno?: number;
  /** Since the peer was gone. */
  readonly milliseconds: number;
}

/** Bytes and a hash of them, by the name of the connection. */
export type Transfers = ReadonlyMap<string, string>;

/** An app, and the other ends of its connections. */
export interface Encounter {
  readonly network: RoutedNetwork;
  /** Tell the app that its peer is gone, after it is. */
  tellApp(): void;
  /** Tell the other ends to read on. */
  readOn(): void;
  /** Stop the other ends, or let them go on. */
  signalPeers(signal: NodeJS.Signals): void;
  ends(): readonly End[];
  /** What the app has sent, and what the other ends have got. */
  sent(): Transfers;
  got(): Transfers;
  close(): void;
}

function program(name: string, ...args: readonly string[]): string[] {
  return [join(import.meta.dirname, `${name}.js`), ...args];
}

/** Longer than any test. */
const TIMEOUT_MS = 120_000;

function matches(text: string, pattern: RegExp): Transfers {
  return new Map(Array.from(text.matchAll(pattern), ([, name = '', what = '']) => [name, what] as const));
}

function outputOf({ child }: NodeProcess): () => string {
  let text = '';
  child.stdout?.on('data', (data: string) => {
    text += data;
  });
  return () => text;
}

/** Have an app connect to another machine, and be visited by it, until all its connections are as they are to be. */
export async function encounter(env: Readonly<Record<string, string>> | undefined): Promise<Encounter> {
  const network = makeRoutedNetwork();
  const processes: NodeProcess[] = [];
  const start = (args: readonly string[], options: Parameters<typeof startNode>[1]): [NodeProcess, () => string] => {
    const one = startNode(args, { timeout: TIMEOUT_MS, ...options });
    processes.push(one);
    return [one, outputOf(one)];
  };
  const close = (): void => {
    for (const { child } of processes) child.kill('SIGKILL');
    network.close();
  };
  try {
    const [server, served] = start(program('far-end', 'serve', network.address), { under: network.there });
    const [, ports = ''] = await server.until(/^ports (.*)$/m);
    const preload = env === undefined ? [] : BY_IMPORT;
    const [app, told] = start([...preload, ...program('near-end', network.here, network.address, ports)], {
      env: env ?? {},
    });
    const [, port = ''] = await app.until(/^port (.*)$/m);
    const [visitor, visited] = start(program('far-end', 'visit', network.here, port), { under: network.there });
    await app.until(/^visited$/m);
    const peers = [server, visitor];
    const signalPeers = (signal: NodeJS.Signals): void => {
      // Also of what they run under.
      for (const { child } of peers) process.kill(-(child.pid ?? 0), signal);
    };
    return {
      network,
      tellApp: () => void app.child.kill('SIGUSR2'),
      readOn: () => signalPeers('SIGUSR2'),
      signalPeers,
      ends: () => Array.from(told().matchAll(/^end (.*)$/gm), ([, end = '']) => JSON.parse(end) as End),
      sent: () => matches(told(), /^sent (\w+) (.*)$/gm),
      got: () => matches(served() + visited(), /^got (\w+) (.*)$/gm),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
