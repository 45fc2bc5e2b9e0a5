import { once } from 'node:events';
import { createServer } from 'node:net';
import { sysctl } from './kernel-value.js';
import { portOf } from './socket-pair.js';

/** Above the ports of well-known servers. */
const LOWEST = 10_000;

/**
 * A port that is free, and that the kernel gives to nobody who asks for any: else a connection of another process could have it
 * before the test has.
 */
export async function freePort(): Promise<number> {
  const [lowestGiven = 0] = process.platform === 'linux' ? sysctl('ipv4/ip_local_port_range') : [];
  const room = lowestGiven - LOWEST;
  for (;;) {
    const wanted = room > 0 ? LOWEST + Math.floor(Math.random() * room) : 0;
    const found = await tryPort(wanted);
    if (found !== undefined) return found;
  }
}

/** Which port it was; undefined if it is not free. */
async function tryPort(wanted: number): Promise<number | undefined> {
  const server = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}
