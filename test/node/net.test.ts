import fs from 'node:fs';
import net from 'node:net';
import { expect } from 'chai';
import { connectionHandle, hasHandle, listenerHandle } from '../../src/node/net.js';
import { listenHandleOf, listening } from '../support/sockets/socket-pair.js';

describe('a handle of Node’s', () => {
  it('is found on sockets and servers, and on nothing that merely looks like an object', () => {
    expect([new net.Socket(), net.createServer(), { _handle: 1 }].map(hasHandle)).to.deep.equal([true, true, true]);
    expect([{}, null, undefined, 'x', () => 1].map(hasHandle)).to.deep.equal([false, false, false, false, false]);
  });
});

describe('a handle for a descriptor', () => {
  it('that another handle has is none, and the descriptor stays as it is', async () => {
    const server = await listening();
    const handle = listenHandleOf(server);
    const fd = handle.fd ?? -1;
    expect(listenerHandle(handle, fd)).to.equal(undefined);
    expect(connectionHandle(handle, fd)).to.equal(undefined);
    expect(fs.fstatSync(fd).isSocket()).to.equal(true);
    server.close();
  });
});
