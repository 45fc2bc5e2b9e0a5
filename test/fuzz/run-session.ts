import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Position } from './client.js';
import { changeKey, judge } from './judge.js';
import { patiently } from './run/patience.js';
import type { Served } from './server/messages.js';
import type { ServerProcess } from './server/server-process.js';
import { contentOf } from './session/bytes.js';
import { applyChange } from './session/changes.js';
import type { Session } from './session/program.js';

/** Seconds without a byte and without a word from the server. */
const PATIENCE = 30;

export interface SessionResult {
  readonly problems: readonly string[];
  readonly bytes: number;
  readonly streams: number;
  readonly routes: Served['routes'];
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
  const clients: Client[] = [];
  const changedAt = new Map<string, Position>();
  let words = 0;
  const offs = [
    server.app.on('stalled', (message) => {
      if (message.number !== number) return;
      words++;
      clients[message.connection]?.read();
    }),
    server.app.on('change', (message) => {
      if (message.number !== number) return;
      words++;
      const position = clients[message.connection]?.position;
      if (position !== undefined)
        changedAt.set(changeKey(message.connection, message.exchange, message.step), position);
      applyChange(message.path, message.change);
    }),
  ];
  const received = (): number => clients.reduce((sum, client) => sum + client.received, 0);
  const progress = (): string => `${received()} bytes, ${words} words`;
  try {
    const places = await server.places;
    await patiently(server.prepare(number, directory, session), PATIENCE, progress, (problem) => {
      throw new Error(problem);
    });
    const place = places[session.protocol][session.transport];
    session.connections.forEach((_, index) => {
      clients.push(new Client(place, [number, index], session));
    });
    const closed = Promise.all(clients.map((client) => client.closed)).then(() => undefined);
    const hung = await patiently<string | undefined>(closed, PATIENCE, progress, (problem) => {
      for (const client of clients) client.destroy();
      return problem;
    });
    // The server answers in any case, even if only to say that something is left open.
    const served = await server.finish(number);
    const problems = judge({ session, isTuned, clients, served, changedAt });
    return { problems: hung === undefined ? problems : [hung, ...problems], bytes: received(), routes: served.routes };
  } finally {
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
