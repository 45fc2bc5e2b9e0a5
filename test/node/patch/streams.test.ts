import { expect } from 'chai';
import { postponeRead } from '../../../src/node/patch/streams.js';
import type { FileReadStream } from '../../../src/node/streams.js';

describe('a read that is put off', () => {
  it('leaves the stream as if nobody had asked it to read', () => {
    const stream = { _readableState: { reading: true } } as FileReadStream;
    postponeRead(stream);
    expect(stream._readableState.reading).to.equal(false);
  });
});
