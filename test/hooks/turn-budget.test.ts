import { expect } from 'chai';
import { shareOfTurn } from '../../src/hooks/turn-budget.js';

describe('the share of a turn of the event loop', () => {
  it('is all of it for one transfer, and less for each of several', () => {
    expect(shareOfTurn(1)).to.equal(1 << 20);
    expect(shareOfTurn(3)).to.equal(Math.floor((1 << 20) / 3));
    expect(shareOfTurn(16)).to.equal(64 << 10);
  });

  it('is worth its calls however many there are', () => {
    expect(shareOfTurn(1000)).to.equal(64 << 10);
  });
});
