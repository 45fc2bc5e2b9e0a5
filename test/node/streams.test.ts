import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import { expect } from 'chai';
import { fsOf, onlyListener } from '../../src/node/streams.js';
import { useScratch } from '../support/files/scratch.js';

describe('Node’s own streams and emitters', () => {
  const scratch = useScratch();

  it('keep a stream’s file system where we look for it', async () => {
    const path = scratch.file('file', 'x');
    const plain = fs.createReadStream(path);
    const own = { open: fs.open, read: fs.read, close: fs.close };
    const special = fs.createReadStream(path, { fs: own } as object);
    expect(fsOf(plain)).to.equal(fs);
    expect(fsOf(special)).to.equal(own);
    expect(fsOf({})).to.equal(undefined);
    // They open their file in a later turn even so; by then the suite's directory must still be there.
    await Promise.all([plain, special].map((stream) => once(stream.destroy(), 'close')));
  });

  it('keep a single listener where we look for it', () => {
    const emitter = new EventEmitter();
    const first = (): void => undefined;
    expect(onlyListener(emitter, 'data')).to.equal(undefined);
    emitter.on('data', first);
    expect(onlyListener(emitter, 'data')).to.equal(first);
    emitter.on('data', () => undefined);
    expect(onlyListener(emitter, 'data')).to.equal(undefined);
    expect(onlyListener({}, 'data')).to.equal(undefined);
  });
});
