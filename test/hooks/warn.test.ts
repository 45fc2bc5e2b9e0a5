import { expect } from 'chai';
import { warnOfFailures } from '../../src/hooks/warn.js';
import type { OptionOutcome, Verdict } from '../../src/options/outcome.js';
import { OPTION_ROWS, type OptionKey } from '../../src/options/table.js';
import { fakePlatform } from '../support/fake-platform.js';
import { hookContext } from '../support/hook-context.js';
import { warningsDuring } from '../support/test-run/warnings.js';

/** Each option can be told of only once in a process, so every test has one of its own. */
function warnings(verdicts: Partial<Record<OptionKey, Verdict>>, asked: readonly OptionKey[] = []) {
  const outcomes = OPTION_ROWS.flatMap((row): OptionOutcome[] => {
    const verdict = verdicts[row.key];
    // The names are made up, so that the tests of other parts may still cause the real warnings.
    return verdict === undefined
      ? []
      : [{ option: row.key, constant: `TEST_${row.constant}`, asked: 7, verdict, cause: 'EPERM' }];
  });
  const context = hookContext({}, fakePlatform(), { asked: new Set(asked) });
  return warningsDuring(() => warnOfFailures(context, outcomes));
}

describe('warnings of options', () => {
  it('name constant, value, variable, verdict and cause of what the kernel refused', async () => {
    expect(await warnings({ noDelay: 'refused' })).to.deep.equal([
      {
        name: 'SocketTuneWarning',
        code: 'SOCKET_TUNE_REFUSED',
        message: 'TEST_TCP_NODELAY=7 (SOCKET_TUNE_NODELAY) is refused: EPERM; it is left as it was',
      },
    ]);
  });

  it('come once an option, however often it fails', async () => {
    expect(await warnings({ receiveBuffer: 'refused' })).to.have.length(1);
    expect(await warnings({ receiveBuffer: 'refused' })).to.deep.equal([]);
    expect(await warnings({ sendBuffer: 'refused' })).to.have.length(1);
  });

  it('tell of what is not supported only where it was asked for by name', async () => {
    expect(await warnings({ keepAlive: 'unsupported' })).to.deep.equal([]);
    expect(await warnings({ keepAlive: 'unsupported' }, ['userTimeout'])).to.deep.equal([]);
    const [warning] = await warnings({ keepAlive: 'unsupported' }, ['keepAlive']);
    expect(warning).to.include({ code: 'SOCKET_TUNE_UNSUPPORTED' });
    expect(warning?.message).to.include('SOCKET_TUNE_KEEPALIVE');
  });

  it('leave out what a kernel with a slower tick refuses of a preset', async () => {
    expect(await warnings({ delayedAckMax: 'refused' })).to.deep.equal([]);
    expect(await warnings({ delayedAckMax: 'refused' }, ['delayedAckMax'])).to.have.length(1);
  });

  it('do not come of anything else', async () => {
    const verdicts = {
      noDelay: 'applied',
      receiveBuffer: 'clamped',
      sendBuffer: 'unneeded',
      keepAlive: 'inherited',
      fastOpen: 'inert',
    } as const;
    expect(await warnings(verdicts, ['noDelay', 'receiveBuffer', 'sendBuffer', 'keepAlive', 'fastOpen'])).to.deep.equal(
      [],
    );
  });
});
