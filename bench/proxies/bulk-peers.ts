import { once } from 'node:events';
import { connect } from 'node:net';
import { compile } from '../compiler.js';
import { CLIENT_CORE, pinned } from '../machine.js';
import { startProcess } from '../server.js';

/** Both ends of a bulk, in C: peers in Node would be slower than the proxies, which then would have little to do at a time. */
export interface BulkPeers {
  /** Where proxies are to connect to. */
  readonly target: number;
  /** Send so much through the proxy's port, on one connection. */
  send(port: number, megabytes: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startBulkPeers(scratch: string): Promise<BulkPeers> {
  const { child, stop } = startProcess(pinned(CLIENT_CORE, [compile('bulk-peers', scratch, 'proxies')]));
  if (child.stdout === null) throw new Error('no standard output');
  const [line] = await once(child.stdout, 'data');
  const [target = 0, control = 0] = String(line).split(' ').map(Number);
  return {
    target,
    async send(port, megabytes) {
      const socket = connect(control, '127.0.0.1');
      socket.write(`${port} ${megabytes}\n`);
      const [answer] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])]);
      if (String(answer) !== '.') throw new Error(`a proxy at ${port} has not passed on ${megabytes} MB`);
      socket.destroy();
    },
    stop,
  };
}
