import { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Server, Socket } from 'node:net';
import { isInstalled, setInstalled } from '../../../src/first-use.js';
import { until } from '../until.js';
import { uninstallAll } from './installed.js';
import { differences, restore, type Snapshot, snapshot } from './node-prototypes.js';

/** What a test could leave to the others. */
export interface Surroundings {
  readonly nodes: Snapshot;
  readonly isInstalled: boolean;
  /** Servers, sockets and child processes that keep this process alive. */
  readonly handles: ReadonlySet<object>;
}

/** Node, lib/internal/process/per_thread.js: what keeps the process alive, but for timers. */
function activeHandles(): readonly object[] {
  const handles: unknown = Reflect.apply(Reflect.get(process, '_getActiveHandles'), process, []);
  if (!Array.isArray(handles)) throw new Error('Node has no list of active handles');
  return handles;
}

export function lookAround(): Surroundings {
  return { nodes: snapshot(), isInstalled: isInstalled(), handles: new Set(activeHandles()) };
}

const STREAMS: ReadonlySet<unknown> = new Set([process.stdin, process.stdout, process.stderr]);

function newHandles({ handles }: Surroundings): readonly object[] {
  return activeHandles().filter((handle) => !handles.has(handle) && !STREAMS.has(handle));
}

function describe(handle: object): string {
  if (handle instanceof ChildProcess) return `the process ${handle.spawnargs.join(' ')}`;
  if (handle instanceof Server) return `a server at ${JSON.stringify(handle.address())}`;
  if (handle instanceof Socket)
    return `a socket from ${handle.localAddress}:${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`;
  return `a ${handle.constructor.name}`;
}

/** Kills a process and all that it has started. Only SIGKILL reaches a stopped process. */
function killAll(pid: number): void {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    for (const child of children) killAll(Number(child));
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

function end(handle: object): void {
  if (handle instanceof ChildProcess) killAll(handle.pid ?? 0);
  else if (handle instanceof Socket) handle.destroy();
  else {
    for (const name of ['close', 'closeAllConnections']) {
      const method: unknown = Reflect.get(handle, name);
      if (typeof method === 'function') Reflect.apply(method, handle, []);
    }
  }
}

/** Patches of Node that the test has made and not undone. Those of an installation of the whole suite may change meanwhile. */
function undoPatches(before: Surroundings): readonly string[] {
  if (before.isInstalled) return [];
  const wasInstalled = isInstalled();
  uninstallAll();
  // The number of listeners that is no leak. The benchmarks raise it.
  const replaced = differences(before.nodes, snapshot()).filter((name) => name !== 'process._maxListeners');
  restore(before.nodes, replaced);
  setInstalled(false);
  return [...(wasInstalled ? ['socket-tune installed'] : []), ...replaced.map((name) => `${name} replaced`)];
}

/** What ends by itself may take a moment. */
async function undoHandles(before: Surroundings, areEnding: boolean): Promise<readonly string[]> {
  if (!areEnding) {
    for (const handle of newHandles(before)) end(handle);
    return [];
  }
  try {
    await until('nothing of the test is left', () => newHandles(before).length === 0);
    return [];
  } catch {
    const left = newHandles(before);
    for (const handle of left) end(handle);
    return left.map(describe);
  }
}

/**
 * Take all back that a test has left, so that the next ones find what they would without it.
 *
 * @param hasFailed whether nothing of it ends by itself any more
 * @returns what has been left
 */
export async function undoLeftovers(before: Surroundings, hasFailed: boolean): Promise<readonly string[]> {
  const patches = undoPatches(before);
  return [...patches, ...(await undoHandles(before, !hasFailed))];
}
