import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { nodeSymbol, valueBySymbol } from '../../src/node/symbols.js';
import { handleOf, socketPair } from '../support/sockets/socket-pair.js';

describe('a symbol of Node’s own', () => {
  it('is found by its description, and then known of other objects too', () => {
    const [first, second] = [createSocket('udp4'), createSocket('udp4')];
    const symbol = nodeSymbol(first, 'state symbol');
    expect(symbol).to.be.a('symbol');
    expect(Object.getOwnPropertySymbols(first)).to.include(symbol);
    expect(nodeSymbol(second, 'state symbol')).to.equal(symbol);
    expect(nodeSymbol({}, 'state symbol')).to.equal(symbol);
    first.close();
    second.close();
  });

  it('is not the app’s of the same description, once it is known', () => {
    const socket = new Socket();
    const symbol = nodeSymbol(socket, 'lastWriteQueueSize');
    expect(nodeSymbol({ [Symbol('lastWriteQueueSize')]: 'the app’s' }, 'lastWriteQueueSize')).to.equal(symbol);
  });

  it('leads to what an object has by it, and to nothing where it has none', async () => {
    const { accepted, close } = await socketPair();
    expect(valueBySymbol(handleOf(accepted), 'owner_symbol')).to.equal(accepted);
    expect(valueBySymbol({}, 'owner_symbol')).to.equal(undefined);
    close();
  });
});
