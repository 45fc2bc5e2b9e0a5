import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startServer } from './server.js';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Pause between two attempts, and their greatest number: 10 seconds, as some servers load a lot first. */
const PAUSE_MILLISECONDS = 20;
const MOST_TRIES = 500;

/** Start a server that does not print its port: it gets a free one, and counts as started once it listens. */
export async function startAtFreePort(
  commandFor: (port: number) => readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const port = await freePort();
  const command = commandFor(port);
  const server = await startServer(command, { port, environment });
  for (let tries = 0; !(await isListening(port)); tries++) {
    if (tries === MOST_TRIES) {
      await server.stop();
      throw new Error(`${command.join(' ')} does not listen`);
    }
    await sleep(PAUSE_MILLISECONDS);
  }
  return server;
}
