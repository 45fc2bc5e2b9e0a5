import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { echoPeer, type Peer } from './outgoing.js';

/** What the tests of a suite connect to, and with. */
export interface Outgoing {
  /** A peer on 127.0.0.1 that says hello and echoes; see {@link echoPeer}. */
  readonly peer: Peer;
  /** Destroyed after the test. */
  readonly sockets: Socket[];
  /** A socket that is connected to the peer, unless the options say otherwise. */
  connected(options?: Partial<net.TcpNetConnectOpts>): Promise<Socket>;
}

/** Have a peer while the tests of a suite run, on Linux. */
export function useOutgoing(): Outgoing {
  let peer: Peer | undefined;
  const sockets: Socket[] = [];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    peer = await echoPeer();
  });

  after(() => peer?.close());

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const known = (): Peer => {
    if (peer === undefined) throw new Error('there is no peer before the tests');
    return peer;
  };
  return {
    sockets,
    get peer() {
      return known();
    },
    async connected(options = {}) {
      const socket = net.connect({ port: known().port, host: '127.0.0.1', ...options });
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    },
  };
}
