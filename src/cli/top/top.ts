import { setTimeout } from 'node:timers/promises';
import type { Snapshot } from '../../report/snapshot.js';
import type { Output } from '../output.js';
import { keysIn, pressed } from './keys.js';
import { formatSnapshot } from './overview.js';
import { type Choice, drawScreen, FIRST_CHOICE, type Screen } from './screen.js';
import { askForSnapshot, findUrl, TopError } from './target.js';
import { Terminal } from './terminal.js';

/** q, or Ctrl+C, which a raw terminal hands over as a character. */
const QUIT: ReadonlySet<string> = new Set(['q', 'Q', '\u0003']);

/** Ctrl+Z. */
const SUSPEND = '\u001a';

/** A process that is watched on a terminal. */
class Watch {
  readonly ended = new AbortController();
  readonly #output: Output;
  readonly #terminal: Terminal;
  #snapshot: Snapshot;
  #trouble: string | undefined;
  #choice: Choice = FIRST_CHOICE;
  #screen: Screen;

  constructor(output: Output, terminal: Terminal, first: Snapshot) {
    this.#output = output;
    this.#terminal = terminal;
    this.#snapshot = first;
    this.#screen = this.#drawn();
  }

  begin(): void {
    this.#terminal.open(
      (input) => this.#onInput(input),
      () => this.#draw(),
    );
    this.#draw();
  }

  show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#trouble = undefined;
    this.#draw();
  }

  /** The last snapshot stays on the screen. */
  showTrouble(trouble: string): void {
    this.#trouble = `${trouble}; this is what it said last`;
    this.#draw();
  }

  #drawn(): Screen {
    return drawScreen(this.#output, this.#snapshot, this.#choice, this.#terminal.size, this.#trouble);
  }

  #draw(): void {
    this.#screen = this.#drawn();
    this.#terminal.draw(this.#screen.lines);
  }

  #onInput(input: string): void {
    for (const key of keysIn(input)) {
      if (QUIT.has(key)) this.ended.abort();
      else if (key === SUSPEND) this.#terminal.suspend();
      this.#choice = pressed(this.#choice, key, this.#screen);
      this.#draw();
    }
  }
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** @param pid of a process of this machine; undefined where the user has named a URL, which another process may serve next */
async function watch(
  output: Output,
  url: string,
  seconds: number,
  first: Snapshot,
  pid: number | undefined,
): Promise<void> {
  const terminal = new Terminal(process.stdin, process.stdout);
  const watched = new Watch(output, terminal, first);
  const { signal } = watched.ended;
  watched.begin();
  try {
    while (!signal.aborted) {
      await setTimeout(seconds * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      const snapshot = await askForSnapshot(url).catch((error: unknown) => {
        if (!(error instanceof TopError)) throw error;
        if (pid !== undefined && hasEnded(pid)) throw new TopError(`process ${pid} has ended`);
        watched.showTrouble(error.message);
      });
      if (snapshot !== undefined) watched.show(snapshot);
    }
  } finally {
    terminal.close();
  }
}

export interface TopOptions {
  readonly json: boolean;
  readonly once: boolean;
  /** Seconds between two snapshots. */
  readonly interval: number;
}

/**
 * Show what a tuned process is doing: on a terminal until the user quits, else once.
 *
 * @param target the number of a process, or the URL of its SOCKET_TUNE_INSPECT; undefined: the only one of this machine
 * @throws {TopError} if there is nothing to show
 */
export async function top(
  output: Output,
  target: string | undefined,
  { json, once, interval }: TopOptions,
): Promise<void> {
  const url = await findUrl(target);
  const first = await askForSnapshot(url);
  const width = output.isTerminal ? process.stdout.columns : Number.POSITIVE_INFINITY;
  if (json) output.json(first);
  else if (once || !output.isTerminal || !process.stdin.isTTY) output.line(formatSnapshot(output, first, width));
  else await watch(output, url, interval, first, target?.includes(':') ? undefined : first.pid);
}
