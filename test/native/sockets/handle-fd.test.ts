import { createServer, Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { expect } from 'chai';
import { familyOf, fdOf } from '../../../src/native/sockets/handle-fd.js';
import { asNetSocket } from '../../../src/node/net.js';
import { useScratch } from '../../support/files/scratch.js';
import { handleOf, listenHandleOf, listening, socketPair } from '../../support/sockets/socket-pair.js';

describe('the descriptor of a handle', () => {
  const scratch = useScratch();

  it('is -1 without a handle, or without a descriptor in it', () => {
    expect(fdOf(null)).to.equal(-1);
    expect(fdOf(undefined)).to.equal(-1);
    expect(fdOf({})).to.equal(-1);
  });

  it('is that of the open socket, and -1 as soon as it is closed', async () => {
    const pair = await socketPair();
    const handle = handleOf(pair.accepted);
    expect(fdOf(handle)).to.be.greaterThan(2);
    expect(fdOf(handle)).not.to.equal(fdOf(handleOf(pair.client)));
    pair.close();
    expect(fdOf(handle)).to.equal(-1);
    expect(fdOf(pair.accepted._handle)).to.equal(-1);
  });

  it('is -1 for a socket that has not begun to connect', () => {
    expect(fdOf(asNetSocket(new Socket())._handle)).to.equal(-1);
  });

  it('is that of a listener', async () => {
    const server = await listening();
    expect(fdOf(listenHandleOf(server))).to.be.greaterThan(2);
    server.close();
  });

  it('comes with the family, tcp or unix', async () => {
    const tcp = await socketPair();
    const unix = await socketPair(scratch.path('family'));
    const server = await listening(createServer(), scratch.path('listener'));
    expect(familyOf(handleOf(tcp.accepted))).to.equal('tcp');
    expect(familyOf(handleOf(tcp.client))).to.equal('tcp');
    expect(familyOf(handleOf(unix.accepted))).to.equal('unix');
    expect(familyOf(listenHandleOf(server))).to.equal('unix');
    server.close();
    tcp.close();
    unix.close();
  });

  it('comes without a family for other handles: a TLS connection, a fake handle, none', async () => {
    const pair = await socketPair();
    const secure = tlsConnect({ socket: pair.client });
    secure.on('error', () => undefined);
    expect(familyOf(handleOf(pair.accepted))).to.equal('tcp');
    expect(familyOf(handleOf(secure))).to.equal(undefined);
    expect(familyOf({})).to.equal(undefined);
    expect(familyOf(null)).to.equal(undefined);
    expect(familyOf(undefined)).to.equal(undefined);
    secure.destroy();
    pair.close();
  });
});
