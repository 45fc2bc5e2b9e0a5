import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EndedProcess, type NodeOptions, startNode } from '../../support/processes/node-process.js';
import { MODES, type Mode } from '../served.js';
import { type Place, talk } from '../talk.js';

/** What the proxy says of itself, all garbage collected. */
export interface ProxyState {
  readonly fds: number;
  readonly kernelPipes: number;
  readonly heapUsed: number;
  readonly external: number;
  /** Milliseconds of CPU so far. */
  readonly cpu: number;
  /** How many clients it has had. */
  readonly connections: number;
}

/** A proxy in a process of its own, and its target in this one. */
export interface Proxied {
  readonly tcp: number;
  readonly unix: string;
  readonly pid: number;
  state(): Promise<ProxyState>;
}

/** Longer than the longest of the tests. */
const PATIENCE = 1_200_000;

const program = join(import.meta.dirname, 'proxy.js');

/** A server that sends these bytes, and then ends, to each who has sent something. */
export function sending(bytes: Buffer): Server {
  return createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end(bytes));
  });
}

/** Starts a target and a proxy, uses them, and ends them in any case. Returns the results of use and end. */
export async function withProxied<T>(
  mode: Mode,
  target: Server,
  use: (proxied: Proxied) => Promise<T>,
  { to = 'tcp', ...options }: NodeOptions & { readonly to?: 'tcp' | 'unix' } = {},
): Promise<{ readonly result: T; readonly ended: EndedProcess }> {
  const directory = mkdtempSync(join(tmpdir(), 'faults-'));
  if (to === 'tcp') target.listen(0, '127.0.0.1');
  else target.listen(join(directory, 'target'));
  await once(target, 'listening');
  const place = to === 'tcp' ? String((target.address() as AddressInfo).port) : join(directory, 'target');
  const node = startNode([...MODES[mode], program, directory, place], {
    timeout: PATIENCE,
    ...options,
    env: { SOCKET_TUNE_SPLICE: 'auto', ...options.env },
  });
  const [, front, controlled] = await node.until(/^ports (\d+) (\d+)$/m);
  const control = Number(controlled);
  try {
    const result = await use({
      tcp: Number(front),
      unix: join(directory, 'front'),
      pid: node.child.pid ?? -1,
      state: async () => JSON.parse((await talk(control, 'state\n')).bytes.toString()) as ProxyState,
    });
    await talk(control, 'exit\n');
    return { result, ended: await node.ended };
  } catch (error) {
    process.kill(-(node.child.pid ?? 0), 'SIGKILL');
    throw error;
  } finally {
    target.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Where a client of a way connects to. */
export function frontOf(proxied: Proxied, from: 'tcp' | 'unix'): Place {
  return from === 'tcp' ? proxied.tcp : proxied.unix;
}
