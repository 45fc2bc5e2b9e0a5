import fs from 'node:fs';
import net from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { BEHAVIOURS, nodeDoes } from '../../src/node/versions.js';

const { prototype: socket } = net.Socket;

/** Where a behaviour shows on the Node that runs the tests. The other rows have tests in processes of their own. */
const SHOWN: Readonly<Partial<Record<keyof typeof BEHAVIOURS, () => boolean>>> = {
  keepAliveDetails: () => socket.setKeepAlive.length === 4,
  typeOfService: () => typeof Reflect.get(socket, 'setTypeOfService') === 'function',
  boundSocket: () => typeof Reflect.get(net, 'BoundSocket') === 'function',
  noStreamOpen: () => typeof Reflect.get(fs.ReadStream.prototype, 'open') !== 'function',
  showsProxies: () => inspect(new Proxy(() => undefined, {})).includes('Proxy'),
};

describe('the table of which Node does what', () => {
  for (const [name, isShown] of Object.entries(SHOWN) as [keyof typeof BEHAVIOURS, () => boolean][]) {
    it(`says of this Node what it does: ${name}`, () => {
      expect(nodeDoes(name)).to.equal(isShown());
    });
  }

  it('knows from which minor release on, and that later major releases do the same', () => {
    const does = ['20.19.0', '22.99.0', '24.18.9', '24.19.0', '25.9.0', '26.3.9', '26.4.0', '28.0.0'].filter(
      (version) => nodeDoes('keepAliveDetails', version),
    );
    expect(does).to.deep.equal(['24.19.0', '26.4.0', '28.0.0']);
  });

  it('knows up to which release, and that no later one does it', () => {
    const does = ['20.19.0', '22.11.9', '22.12.0', '22.13.0', '23.0.0', '23.4.9', '23.5.0', '24.0.0'].filter(
      (version) => nodeDoes('warnsOfRequiredModules', version),
    );
    expect(does).to.deep.equal(['22.12.0', '23.0.0', '23.4.9']);
  });

  it('names Node’s change, or a test of ours, for each', () => {
    for (const { what, source } of Object.values(BEHAVIOURS)) {
      expect(what).to.match(/\.\)?$/);
      if (source.startsWith('test/')) expect(fs.existsSync(source), source).to.equal(true);
      else expect(source).to.match(/^https:\/\/github\.com\/nodejs\/node\/pull\/\d+$/);
    }
  });
});
