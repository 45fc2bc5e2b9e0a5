import { expect } from 'chai';
import { boundIn, detailIn, goal, goalOfRatio, VERDICTS, verdictIn } from '../../bench/goal.js';
import {
  badness,
  changeText,
  differs,
  isTooNoisy,
  type Ratio,
  ratioCell,
  ratioOf,
  shareText,
} from '../../bench/ratio.js';

/** Medians 10 and 11, though in two rounds of three the second is the less. */
const OPPOSITE = { own: [11, 9, 20], base: [12, 10, 1] } as const;

describe('a ratio of the benchmarks', () => {
  it('is the quotient of the medians, whatever the rounds say one by one', () => {
    const ratio = ratioOf([1, 20, 3], [2, 40, 30]);
    expect(ratio.value).to.equal(3 / 30);
    expect(ratio.rounds).to.deep.equal([0.5, 0.5, 0.1]);
    expect([shareText(ratio), changeText(ratio), ratioCell(ratio)]).to.deep.equal(['10 %', '90 % less', 0.1]);
  });

  it('is the quotient of the medians as they are shown', () => {
    const ratio = ratioOf([11.553], [11.502]);
    expect(ratio.value).to.equal(11.6 / 11.5);
    expect(shareText(ratio)).to.equal('101 %');
    // Shown as 1.02, though the double is a little less than 1.015.
    expect(ratioOf([1.015], [1]).value).to.equal(1.02);
    expect(shareText(ratioOf([0.285], [1])), 'half a percent, up').to.equal('29 %');
  });

  it('is too noisy where the rounds say the opposite, and nowhere else', () => {
    const noisy = ratioOf(OPPOSITE.own, OPPOSITE.base);
    expect(noisy.value).to.be.greaterThan(1);
    expect(isTooNoisy(noisy)).to.be.true;
    expect([shareText(noisy), changeText(noisy), ratioCell(noisy)]).to.deep.equal(new Array(3).fill('too noisy'));
    expect(isTooNoisy(ratioOf([8, 9, 10], [10, 10, 10]))).to.be.false;
    // What is told as 100 % is on neither side.
    expect(isTooNoisy({ value: 1.004, rounds: [0.9] })).to.be.false;
  });

  it('counts how many times as bad, whichever figure is better', () => {
    const ratio = ratioOf([5, 5, 5], [10, 10, 10]);
    expect(badness('lower', ratio)).to.deep.equal({ value: 0.5, rounds: [0.5, 0.5, 0.5] });
    expect(badness('higher', ratio)).to.deep.equal({ value: 2, rounds: [2, 2, 2] });
  });

  it('is told in whole percents, tiny ones by their digits, great ones as a multiple', () => {
    const texts = [0.44, 1, 1.376, 9.994, 12.23, 0.00123].map((value) => shareText({ value, rounds: [value] }));
    expect(texts).to.deep.equal(['44 %', '100 %', '138 %', '999 %', '12.2 ×', '0.123 %']);
    expect(changeText({ value: 1.376, rounds: [1.4] })).to.equal('38 % more');
  });

  it('is no figure where there is nothing to divide', () => {
    expect(ratioCell(ratioOf([], [1]))).to.equal(undefined);
    expect(ratioCell(ratioOf([1], [0]))).to.equal(undefined);
  });

  it('differs from another by over a tenth, and by all rounds', () => {
    const ratio = (...rounds: readonly number[]): Ratio => ({ value: rounds[1] ?? Number.NaN, rounds });
    expect(differs(ratio(0.4, 0.44, 0.46), ratio(0.5, 0.52, 0.6))).to.be.true;
    expect(differs(ratio(0.5, 0.52, 0.6), ratio(0.4, 0.44, 0.46))).to.be.true;
    expect(differs(ratio(0.4, 0.44, 0.51), ratio(0.5, 0.52, 0.6)), 'rounds in common').to.be.false;
    expect(differs(ratio(0.46, 0.47, 0.48), ratio(0.49, 0.5, 0.51)), 'less than a tenth').to.be.false;
    expect(differs(ratioOf(OPPOSITE.own, OPPOSITE.base), ratio(30, 30, 30)), 'too noisy').to.be.false;
  });
});

describe('a goal of the benchmarks', () => {
  it('is reached or missed where medians and rounds agree on it, else too noisy', () => {
    const bound = { atMost: 0.45 };
    expect(goalOfRatio({ value: 0.44, rounds: [0.4] }, bound)).to.equal('<= 0.45: reached');
    expect(goalOfRatio({ value: 0.46, rounds: [0.5] }, bound)).to.equal('<= 0.45: MISSED');
    expect(goalOfRatio({ value: 0.44, rounds: [0.5] }, bound)).to.equal(
      '<= 0.45: too noisy (medians say reached, 0.44; rounds say missed, 0.5)',
    );
    expect(goalOfRatio({ value: 1.7, rounds: [1.8] }, { atLeast: 1.6 })).to.equal('>= 1.6: reached');
    expect(goal(7, 6, ' ms')).to.equal('<= 6 ms: MISSED');
  });

  it('is not judged by a ratio that is too noisy itself', () => {
    const noisy = ratioOf(OPPOSITE.own, OPPOSITE.base);
    const why = 'too noisy (medians say above 1, 1.1; rounds say below 1, 0.917)';
    for (const atMost of [0.33, 1, 2]) expect(goalOfRatio(noisy, { atMost })).to.equal(`<= ${atMost}: ${why}`);
  });

  it('has more digits beside it where three would put the figure on it, or beyond it', () => {
    const bound = { atMost: 1.05 };
    expect(goalOfRatio({ value: 1.0512, rounds: [1.06] }, bound)).to.equal('<= 1.05: MISSED (1.051)');
    expect(goalOfRatio({ value: 1.0488, rounds: [1.04] }, bound)).to.equal('<= 1.05: reached (1.049)');
    expect(goalOfRatio({ value: 1.05, rounds: [1.05] }, bound)).to.equal('<= 1.05: reached');
    expect(goalOfRatio({ value: 1.0488, rounds: [1.0512] }, bound)).to.equal(
      '<= 1.05: too noisy (medians say reached, 1.049; rounds say missed, 1.051)',
    );
    expect(goal(6.001, 6, ' ms')).to.equal('<= 6 ms: MISSED (6.001)');
  });

  it('has one verdict of three, which the pages read back', () => {
    const cells = VERDICTS.map((verdict) => `<= 6 ms: ${verdict}`);
    expect(cells.map(verdictIn)).to.deep.equal([...VERDICTS]);
    expect(cells.map(boundIn)).to.deep.equal(new Array(3).fill('≤ 6 ms'));
    const detailed = '<= 6 ms: MISSED (6.001)';
    expect([verdictIn(detailed), boundIn(detailed), detailIn(detailed)]).to.deep.equal(['MISSED', '≤ 6 ms', '6.001']);
    expect(detailIn('<= 6 ms: MISSED')).to.equal(undefined);
    for (const cell of ['', '10 KB', 0.5, undefined, null]) expect(verdictIn(cell)).to.equal(undefined);
    expect(() => verdictIn('<= 6 ms: perhaps')).to.throw('a goal without a verdict');
  });
});
