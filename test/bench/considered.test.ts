import { expect } from 'chai';
import { hasCompiler } from '../../bench/compiler.js';
import { measureConsidered } from '../../bench/considered/considered.js';
import { skip } from '../support/test-run/skipped.js';

describe('what was considered and left out', () => {
  it('is measured by programs that run: each figure is there, unless the system has it not', async function () {
    if (process.platform !== 'linux' || !hasCompiler) skip(this, 'there is no C compiler on a Linux here');
    const considered = await measureConsidered(0.002);
    expect(Object.values(considered).map((figures) => Object.keys(figures))).to.deep.equal([
      ['plain', 'io_uring'],
      ['plain', 'zerocopy', 'copied'],
      ['plain', 'zerocopy', 'copied'],
      ['hash', 'classic', 'extended'],
      ['openssl', 'cipher', 'sendfile', 'kernel'],
    ]);
    for (const [what, figures] of Object.entries(considered)) {
      for (const [name, figure] of Object.entries(figures)) {
        if (figure !== null) expect(figure, `${what}: ${name}`).to.be.within(0, 1e6);
      }
    }
    // What every Linux has.
    expect(considered['kTLS, µs a MB']?.sendfile).to.be.above(0);
    expect(considered['MSG_ZEROCOPY on loopback, µs a MB']?.plain).to.be.above(0);
  });
});
