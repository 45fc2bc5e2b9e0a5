import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Position } from './client.js';
import { changeKey, judge } from './judge.js';
import type { Served } from './server/messages.js';
import type { ServerProcess } from './server/server-process.js';
import { contentOf } from './session/bytes.js';
import { applyChange } from './session/changes.js';
import type { Session } from './session/program.js';

/** Seconds without a byte and without a word from the server. Those in which this process itself had no turn are not counted. */
const PATIENCE = 30;

export interface SessionResult {
  readonly problems: readonly string[];
  readonly bytes: number;
  readonly streams: number;
  readonly routes: Served['routes'];
}

/** Rejects when nothing has happened for too long. */
class Watchdog {
  readonly bite: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  #silent = 0;

  constructor() {
    let reject: (error: Error) => void = () => undefined;
    this.bite = new Promise((_, rejectIt) => {
      reject = rejectIt;
    });
    this.bite.catch(() => undefined);
    this.#timer = setInterval(() => {
      if (++this.#silent === PATIENCE) reject(new Error(`nothing has happened for ${PATIENCE} s`));
    }, 1000);
  }

  pat(): void {
    this.#silent = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function countStreams({ connections }: Session): number {
  const exchanges = connections.flatMap((connection) => connection.exchanges);
  return exchanges.flatMap(({ steps }) => steps).filter((step) => step.do === 'file').length;
}

async function talkAll(
  server: ServerProcess,
  number: number,
  session: Session,
  directory: string,
  isTuned: boolean,
): Promise<Omit<SessionResult, 'streams'>> {
  const watchdog = new Watchdog();
  const clients: Client[] = [];
  const changedAt = new Map<string, Position>();
  const offs = [
    server.on('stalled', (message) => {
      if (message.number !== number) return;
      watchdog.pat();
      clients[message.connection]?.read();
    }),
    server.on('change', (message) => {
      if (message.number !== number) return;
      watchdog.pat();
      const position = clients[message.connection]?.position;
      if (position !== undefined)
        changedAt.set(changeKey(message.connection, message.exchange, message.step), position);
      applyChange(message.path, message.change);
    }),
  ];
  const received = (): number => clients.reduce((sum, client) => sum + client.received, 0);
  try {
    const places = await server.places;
    await Promise.race([server.prepare(number, directory, session), watchdog.bite]);
    const place = places[session.protocol][session.transport];
    session.connections.forEach((_, index) => {
      clients.push(new Client(place, [number, index], session, () => watchdog.pat()));
    });
    let hung: string | undefined;
    const bitten = watchdog.bite.catch((error: Error) => {
      hung = error.message;
      for (const client of clients) client.destroy();
    });
    await Promise.race([Promise.all(clients.map(({ closed }) => closed)), bitten]);
    // The server answers in any case, even if only to say that something is left open.
    watchdog.stop();
    const served = await server.finish(number);
    const problems = judge({ session, isTuned, clients, served, changedAt });
    return { problems: hung === undefined ? problems : [hung, ...problems], bytes: received(), routes: served.routes };
  } finally {
    watchdog.stop();
    for (const off of offs) off();
  }
}

/** Have a session served, and see what came. */
export async function runSession(
  server: ServerProcess,
  number: number,
  session: Session,
  base: string,
  isTuned: boolean,
): Promise<SessionResult> {
  const directory = join(base, `session-${number}`);
  mkdirSync(directory, { recursive: true });
  for (const [index, file] of session.files.entries()) writeFileSync(join(directory, String(index)), contentOf(file));
  const result = await talkAll(server, number, session, directory, isTuned);
  rmSync(directory, { recursive: true });
  return { ...result, streams: countStreams(session) };
}
