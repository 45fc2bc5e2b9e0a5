import { expect } from 'chai';
import { withPlainObjects } from '../../src/native/plain-objects.js';

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
