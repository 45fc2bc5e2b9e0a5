import { expect } from 'chai';
import { warnOnce } from '../src/diagnostics.js';
import { warningsDuring } from './support/test-run/warnings.js';

describe('a warning', () => {
  it('is printed once for each code and subject, with the first message', async () => {
    const warnings = await warningsDuring(() => {
      warnOnce('TEST_CODE', 'one', 'first');
      warnOnce('TEST_CODE', 'one', 'second');
      warnOnce('TEST_CODE', 'other', 'third');
      warnOnce('TEST_OTHER_CODE', 'one', 'fourth');
    });
    const name = 'SocketTuneWarning';
    expect(warnings).to.deep.equal([
      { name, code: 'TEST_CODE', message: 'first' },
      { name, code: 'TEST_CODE', message: 'third' },
      { name, code: 'TEST_OTHER_CODE', message: 'fourth' },
    ]);
    expect(await warningsDuring(() => warnOnce('TEST_CODE', 'one', 'again'))).to.deep.equal([]);
  });
});
