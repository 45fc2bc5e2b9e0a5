import { constants } from 'node:os';
import { expect } from 'chai';
import { callError, isReportedOnce } from '../../src/hooks/reported-once.js';

/** Linux, where os.constants has no name for it. */
const EHOSTDOWN = 112;

describe('errors that the kernel reports once', () => {
  it('are those of a connection, and not those of a call', () => {
    const { ECONNRESET, ETIMEDOUT, EPROTO, EAGAIN, EINVAL, EPIPE } = constants.errno;
    for (const errno of [ECONNRESET, ETIMEDOUT, EPROTO, EHOSTDOWN]) expect(isReportedOnce(errno)).to.equal(true);
    for (const errno of [EAGAIN, EINVAL, EPIPE]) expect(isReportedOnce(errno)).to.equal(false);
  });

  it('have the fields that Node gives them', function () {
    if (process.platform !== 'linux') this.skip();
    const { message, ...fields } = callError('read', EHOSTDOWN);
    expect(message).to.equal('read EHOSTDOWN');
    expect(fields).to.deep.equal({ errno: -EHOSTDOWN, code: 'EHOSTDOWN', syscall: 'read' });
  });
});
