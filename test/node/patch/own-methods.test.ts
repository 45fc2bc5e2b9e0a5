import { ReadStream } from 'node:fs';
import { expect } from 'chai';
import { type Replacements, replaceAllOwn, replaceOwn } from '../../../src/node/patch/own-methods.js';
import type { FileReadStream } from '../../../src/node/streams.js';

describe('replacing a method of Node’s own', () => {
  const { prototype } = ReadStream as unknown as { prototype: FileReadStream };

  /** What else is done to a prototype while `act` runs. */
  function withMethod(name: '_read' | '_destroy', method: () => void, act: () => void): void {
    const own = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    Object.defineProperty(prototype, name, { ...own, value: method });
    try {
      act();
    } finally {
      Object.defineProperty(prototype, name, own);
    }
  }

  it('is done where it is Node’s own, and can be undone', () => {
    const { _read: before } = prototype;
    const undo = replaceOwn('ReadStream._read', (original) => original);
    expect(prototype._read).not.to.equal(before);
    undo?.();
    expect(prototype._read).to.equal(before);
    expect(undo).to.be.a('function');
  });

  it('is not done where somebody else has replaced it', () => {
    const theirs = (): void => undefined;
    withMethod('_read', theirs, () => {
      expect(replaceOwn('ReadStream._read', (original) => original)).to.equal(undefined);
      expect(prototype._read).to.equal(theirs);
    });
  });

  it('is done to all that are named, or to none', () => {
    const { _read: read, _destroy: destroy } = prototype;
    const replacements: Replacements = {
      'ReadStream._read': (original) => original,
      'ReadStream._destroy': (original) => original,
    };
    const undo = replaceAllOwn(replacements);
    expect(prototype._read).not.to.equal(read);
    expect(prototype._destroy).not.to.equal(destroy);
    undo?.();
    expect([prototype._read, prototype._destroy]).to.deep.equal([read, destroy]);
    withMethod(
      '_destroy',
      () => undefined,
      () => {
        expect(replaceAllOwn(replacements)).to.equal(undefined);
        expect(prototype._read).to.equal(read);
      },
    );
  });
});
