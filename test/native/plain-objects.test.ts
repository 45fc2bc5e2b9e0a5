import { expect } from 'chai';
import { withoutStderr, withPlainObjects } from '../../src/native/plain-objects.js';

describe('objects without the properties of Object.prototype', () => {
  const ADDED = ['socketTuneTest', 'value'] as const;

  /** For each added property: enumerable, hidden from enumeration, or missing. */
  function states(): string[] {
    return ADDED.map((name) => {
      const own = Object.getOwnPropertyDescriptor(Object.prototype, name);
      if (own === undefined) return 'missing';
      return own.enumerable ? 'enumerable' : 'hidden';
    });
  }

  /** Run an action while Object.prototype has two more properties. The test looks at its results only later: chai stumbles over them. */
  function withAdded<T>(act: () => T): T {
    for (const name of ADDED) {
      const attributes = { value: 1, configurable: true, enumerable: true, writable: true };
      Object.defineProperty(Object.prototype, name, Object.setPrototypeOf(attributes, null));
    }
    try {
      return act();
    } finally {
      for (const name of ADDED) Reflect.deleteProperty(Object.prototype, name);
    }
  }

  it('are what the call sees, and the properties are back after it', () => {
    const found = withAdded(() => [states(), withPlainObjects(states), states()]);
    expect(found).to.deep.equal([
      ['enumerable', 'enumerable'],
      ['hidden', 'missing'],
      ['enumerable', 'enumerable'],
    ]);
  });

  it('have the properties back after a call that throws', () => {
    const found = withAdded(() => {
      try {
        withPlainObjects(() => {
          throw new Error('not today');
        });
      } catch (error) {
        return [error instanceof Error && error.message, states()];
      }
      return [];
    });
    expect(found).to.deep.equal(['not today', ['enumerable', 'enumerable']]);
  });
});

describe('calling without the stream for errors', () => {
  const descriptor = (): PropertyDescriptor | undefined => Object.getOwnPropertyDescriptor(process, 'stderr');

  it('hides the stream, and puts it back, also after an error', () => {
    const before = descriptor();
    expect(withoutStderr(() => process.stderr)).to.equal(undefined);
    expect(descriptor()).to.deep.equal(before);
    const failing = (): never => {
      throw new Error('on purpose');
    };
    expect(() => withoutStderr(failing)).to.throw('on purpose');
    expect(descriptor()).to.deep.equal(before);
  });

  it('leaves a stream that somebody has put in its place', () => {
    const before = descriptor();
    Object.defineProperty(process, 'stderr', { value: 'mine', configurable: true });
    try {
      expect(withoutStderr(() => process.stderr)).to.equal('mine');
    } finally {
      if (before !== undefined) Object.defineProperty(process, 'stderr', before);
    }
  });
});
