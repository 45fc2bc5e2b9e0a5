import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { expect } from 'chai';
import { PeerConnection } from '../../../src/hooks/peers/connection.js';
import { endUnanswered, unansweredHook } from '../../../src/hooks/peers/unanswered.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { echoPeer, type Peer } from '../../support/sockets/outgoing.js';
import { SHARED_KEY, SHARED_KEY_CLIENT } from '../../support/sockets/secure-pair.js';
import { handleOf } from '../../support/sockets/socket-pair.js';

describe('the end of a connection whose peer has not answered', () => {
  let peer: Peer | undefined;
  let undo: Undo | undefined;

  afterEach(() => {
    undo?.();
    undo = undefined;
    peer?.close();
    peer = undefined;
  });

  async function errorOf(socket: net.Socket, connection: PeerConnection): Promise<NodeJS.ErrnoException> {
    const failed = once(socket, 'error');
    endUnanswered(connection);
    const [error] = await failed;
    return error as NodeJS.ErrnoException;
  }

  it('is a read that has timed out, as the kernel’s would be, without a frame of ours', async () => {
    peer = await echoPeer();
    const socket = net.connect(peer.port, '127.0.0.1');
    await once(socket, 'connect');
    const error = await errorOf(socket, new PeerConnection(handleOf(socket), socket));
    expect(error).to.include({ code: 'ETIMEDOUT', syscall: 'read', message: 'read ETIMEDOUT' });
    expect(error.stack).not.to.include('at ');
    expect(socket.destroyed).to.equal(true);
  });

  it('is an error of the TLS socket that the app has put upon its socket', async () => {
    undo = unansweredHook.install(hookContext({}, linux(), { outgoing: { answer: 1 } }));
    peer = await echoPeer(tls.createServer(SHARED_KEY));
    const below = net.connect(peer.port, '127.0.0.1');
    await once(below, 'connect');
    const handle = handleOf(below);
    const errorsBelow: Error[] = [];
    below.on('error', (one) => errorsBelow.push(one));
    const secure = tls.connect({ socket: below, ...SHARED_KEY_CLIENT });
    await once(secure, 'data');
    const error = await errorOf(secure, new PeerConnection(handle, below));
    expect(error.code).to.equal('ETIMEDOUT');
    expect(errorsBelow).to.deep.equal([]);
  });

  it('needs nothing of Node’s where nobody has asked for it', () => {
    expect(unansweredHook.install(hookContext({}, linux(), { outgoing: {} }))).to.equal(undefined);
  });
});
