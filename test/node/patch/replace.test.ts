import { expect } from 'chai';
import { replaceMethod } from '../../../src/node/patch/replace.js';

describe('replacing a method', () => {
  interface Subject {
    greet(name: string, politely?: boolean): string;
  }

  function subject(): Subject {
    return {
      greet(name: string, politely = false) {
        return `${politely ? 'good day' : 'hi'}, ${name}`;
      },
    };
  }

  const louder =
    (original: Subject['greet']): Subject['greet'] =>
    (...args) =>
      `${original(...args)}!`;

  it('puts the replacement in its place, with the name, length and attributes of the original', () => {
    const object = subject();
    Object.defineProperty(object, 'greet', { enumerable: false, writable: true, configurable: true });
    const before = Object.getOwnPropertyDescriptor(object, 'greet');
    expect(object.greet('you')).to.equal('hi, you');
    replaceMethod(object, 'greet', louder);
    expect(object.greet('you', true)).to.equal('good day, you!');
    expect(object.greet.name).to.equal('greet');
    expect(object.greet.length).to.equal(1);
    const after = Object.getOwnPropertyDescriptor(object, 'greet');
    expect(after).to.deep.equal({ ...before, value: after?.value });
    expect(after?.value).not.to.equal(before?.value);
  });

  it('can be undone to the very same descriptor', () => {
    for (const attributes of [
      { enumerable: true, writable: true, configurable: true },
      { enumerable: false, writable: true, configurable: true },
      { enumerable: false, writable: false, configurable: true },
    ]) {
      const object = subject();
      Object.defineProperty(object, 'greet', attributes);
      const before = Object.getOwnPropertyDescriptor(object, 'greet');
      const undo = replaceMethod(object, 'greet', louder);
      expect(Object.getOwnPropertyDescriptor(object, 'greet')).not.to.deep.equal(before);
      undo();
      expect(Object.getOwnPropertyDescriptor(object, 'greet')).to.deep.equal(before);
    }
  });

  it('is undone by deleting it where the method was inherited', () => {
    const object: Subject = Object.create(subject());
    const undo = replaceMethod(object, 'greet', louder);
    expect(Object.hasOwn(object, 'greet')).to.equal(true);
    expect(object.greet('you')).to.equal('hi, you!');
    undo();
    expect(Object.hasOwn(object, 'greet')).to.equal(false);
    expect(object.greet('you')).to.equal('hi, you');
  });

  it('is left in place where somebody else has replaced the method since, and does nothing any more', () => {
    const object = subject();
    const undo = replaceMethod(object, 'greet', louder);
    const ours = object.greet;
    const theirs: Subject['greet'] = (...args) => `well, ${ours(...args)}`;
    object.greet = theirs;
    expect(object.greet('you')).to.equal('well, hi, you!');
    undo();
    expect(object.greet).to.equal(theirs);
    expect(object.greet('you', true)).to.equal('well, good day, you');
  });

  it('passes on this, every argument and how many there are, and what comes back', () => {
    const object = {
      count(...rest: unknown[]): unknown {
        return [this, rest.length, ...rest];
      },
    };
    replaceMethod(
      object,
      'count',
      (original: typeof object.count) =>
        function (this: typeof object, ...rest) {
          return original.apply(this, rest);
        },
    );
    expect(object.count()).to.deep.equal([object, 0]);
    expect(object.count(1, undefined)).to.deep.equal([object, 2, 1, undefined]);
    expect(object.count.call({ ...object, other: true }, 1)).to.deep.include({ ...object, other: true });
  });

  it('undoes nested replacements from the outside in', () => {
    const object = subject();
    const original = object.greet;
    const undoInner = replaceMethod(object, 'greet', louder);
    const undoOuter = replaceMethod(object, 'greet', louder);
    expect(object.greet('you')).to.equal('hi, you!!');
    undoOuter();
    undoInner();
    expect(object.greet).to.equal(original);
  });

  it('refuses what is no method', () => {
    expect(() => replaceMethod({ greet: 1 }, 'greet', louder)).to.throw(TypeError, 'greet is not a method');
    expect(() => replaceMethod({}, 'greet', louder)).to.throw(TypeError);
  });
});
