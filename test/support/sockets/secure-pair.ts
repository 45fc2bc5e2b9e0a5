import { once } from 'node:events';
import { connect, createServer, type Server, type TlsOptions } from 'node:tls';
import { asNetSocket } from '../../../src/node/net.js';
import { listening, reach, type SocketPair } from './socket-pair.js';

const IDENTITY = 'unit tests';
const KEY = Buffer.from('d731ef57be09e5204f0b205b60627028', 'hex');

/** Options for a server that needs no certificate: both sides have a key. */
export const SHARED_KEY: TlsOptions = {
  ciphers: 'PSK+HIGH',
  maxVersion: 'TLSv1.2',
  pskIdentityHint: IDENTITY,
  pskCallback: (_, identity) => (identity === IDENTITY ? KEY : null),
};

/** Options for the client of such a server. */
export const SHARED_KEY_CLIENT = {
  ciphers: 'PSK+HIGH',
  maxVersion: 'TLSv1.2',
  pskCallback: () => ({ psk: KEY, identity: IDENTITY }),
  checkServerIdentity: () => undefined,
} as const;

/** A TLS connection, with both of its ends. */
export async function securePair(server: Server = createServer(SHARED_KEY)): Promise<SocketPair> {
  await listening(server);
  const client = connect({ ...reach(server), ...SHARED_KEY_CLIENT });
  const [[accepted]] = await Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')]);
  server.close();
  return {
    accepted: asNetSocket(accepted),
    client,
    close() {
      client.destroy();
      accepted.destroy();
    },
  };
}
