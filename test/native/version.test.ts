import { expect } from 'chai';
import { isOlder, versionOf } from '../../src/native/version.js';

describe('a version', () => {
  it('is the first one in a text', () => {
    expect(versionOf('6.18.44-generic')).to.deep.equal([6, 18, 44]);
    expect(versionOf('Linux 5 of 2024.1')).to.deep.equal([5]);
  });

  it('is older by the first number that differs', () => {
    expect(isOlder([6, 1, 99], [6, 2])).to.equal(true);
    expect(isOlder([6, 10], [6, 2])).to.equal(false);
    expect(isOlder([7], [6, 2])).to.equal(false);
  });

  it('is not older than itself, and a missing number counts as 0', () => {
    expect(isOlder([6, 2], [6, 2])).to.equal(false);
    expect(isOlder([6], [6, 0])).to.equal(false);
    expect(isOlder([6], [6, 0, 1])).to.equal(true);
  });
});
