import { readdirSync, readFileSync } from 'node:fs';
import { parseInspectAddress } from '../../config/inspect-address.js';
import type { Snapshot } from '../../report/snapshot.js';

const VARIABLE = 'SOCKET_TUNE_INSPECT';

/** A process may be busy for a moment. */
const ANSWER_TIMEOUT_MS = 3000;

/** Why there is nothing to show, in words for the user. */
export class TopError extends Error {}

function howToStart(pid: number): string {
  return `process ${pid} has no ${VARIABLE}; start it with ${VARIABLE}=127.0.0.1:9465`;
}

/** The variables that a process was started with. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new TopError(`the environment of process ${pid} cannot be read: ${cause}`, { cause: error });
  }
}

/** Each port of the process's range: it listens on one of them. None if it has no range. */
function urlsOf(pid: number): readonly string[] {
  const variable = environmentOf(pid)
    .split('\0')
    .find((line) => line.startsWith(`${VARIABLE}=`));
  const parsed = parseInspectAddress(variable?.slice(VARIABLE.length + 1) ?? 'off');
  if (!('value' in parsed) || parsed.value === undefined) return [];
  const { host, ports } = parsed.value;
  const [first, last] = ports;
  const name = host.includes(':') ? `[${host}]` : host;
  return Array.from({ length: last - first + 1 }, (_, index) => `http://${name}:${first + index}/`);
}

/** @throws {TopError} if there is no answer, or none with a snapshot */
export async function askForSnapshot(url: string): Promise<Snapshot> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    const answer = await fetch(new URL('snapshot.json', url), { signal });
    if (!answer.ok) throw new TopError(`${url} answers with ${answer.status}`);
    const snapshot: Snapshot = JSON.parse(await answer.text());
    return snapshot;
  } catch (error) {
    if (error instanceof TopError) throw error;
    if (error instanceof SyntaxError) throw new TopError(`${url} is not a page of socket-tune`, { cause: error });
    throw new TopError(`${url} does not answer`, { cause: error });
  }
}

async function findProcess(pid: number): Promise<string> {
  const urls = urlsOf(pid);
  if (urls.length === 0) throw new TopError(howToStart(pid));
  for (const url of urls) {
    const snapshot = await askForSnapshot(url).catch(() => undefined);
    if (snapshot?.pid === pid) return url;
  }
  throw new TopError(`process ${pid} does not answer where its ${VARIABLE} says`);
}

function urlFrom(target: string): string {
  if (!URL.canParse(target)) throw new TopError(`'${target}' is neither the number of a process nor a URL`);
  return target.endsWith('/') ? target : `${target}/`;
}

/** A process that can be watched. */
interface Found {
  readonly url: string;
  readonly snapshot: Snapshot;
}

/** Where the processes of this machine may be, as far as this user may know. */
function everyUrl(): ReadonlySet<string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const urls = pids.flatMap((pid) => {
    try {
      return urlsOf(Number(pid));
    } catch {
      // Another user's, or it has ended since.
      return [];
    }
  });
  return new Set(urls);
}

async function findAll(): Promise<readonly Found[]> {
  const asked = Array.from(everyUrl(), async (url): Promise<Found | undefined> => {
    const snapshot = await askForSnapshot(url).catch(() => undefined);
    return snapshot && { url, snapshot };
  });
  return (await Promise.all(asked)).filter((found) => found !== undefined);
}

/** The only process of this machine that can be watched. */
async function findOnly(): Promise<string> {
  const found = await findAll();
  const [first] = found;
  if (first === undefined)
    throw new TopError(`no process here has ${VARIABLE}; start one with ${VARIABLE}=127.0.0.1:9465`);
  if (found.length === 1) return first.url;
  const lines = found.map(
    ({ snapshot: { pid, app, connections } }) => `  ${pid}  ${app}, ${connections.open} connections`,
  );
  throw new TopError(`there are ${found.length} processes; name a process:\n${lines.sort().join('\n')}`);
}

/**
 * The URL at which a process serves its snapshot.
 *
 * @param target the number of a process, or the URL; undefined: the only one of this machine
 * @throws {TopError} if there is none
 */
export async function findUrl(target: string | undefined): Promise<string> {
  if (target === undefined) return findOnly();
  return /^\d+$/.test(target) ? findProcess(Number(target)) : urlFrom(target);
}
