import { createServer } from 'node:net';
import { expect } from 'chai';
import { describeValue, SocketTuneError } from '../src/errors.js';

describe('an error of the API', () => {
  it('is an Error, identified by name and code', () => {
    const error = new SocketTuneError('ERR_SOCKET_TUNE_INVALID_ARG', 'x must be y');
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      name: 'SocketTuneError',
      code: 'ERR_SOCKET_TUNE_INVALID_ARG',
      message: 'x must be y',
    });
    expect(String(error)).to.equal('SocketTuneError: x must be y');
    expect(error.stack).to.include('errors.test');
  });

  it('describes any value that was given instead', () => {
    const words = [
      undefined,
      null,
      'text',
      1.5,
      5n,
      true,
      Symbol('s'),
      () => 1,
      {},
      [],
      createServer(),
      Object.create(null),
    ].map(describeValue);
    expect(words).to.deep.equal([
      'undefined',
      'null',
      "a string ('text')",
      'a number (1.5)',
      'a bigint (5)',
      'a boolean (true)',
      'a symbol',
      'a function',
      'an instance of Object',
      'an instance of Array',
      'an instance of Server',
      'an instance of Object',
    ]);
  });
});
