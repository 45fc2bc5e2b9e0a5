import { expect } from 'chai';
import { isNetLoaded } from '../../src/node/modules.js';

describe('Node’s list of its modules', () => {
  it('tells that net is loaded', () => {
    const list = Object.getOwnPropertyDescriptor(process, 'moduleLoadList');
    expect(isNetLoaded()).to.equal(true);
    const lists: readonly [unknown, boolean][] = [
      [['NativeModule fs', 'Internal Binding net'], false],
      [['NativeModule net'], true],
      [undefined, true],
    ];
    for (const [value, isLoaded] of lists) {
      Object.defineProperty(process, 'moduleLoadList', { configurable: true, value });
      expect(isNetLoaded(), String(value)).to.equal(isLoaded);
    }
    if (list === undefined) Reflect.deleteProperty(process, 'moduleLoadList');
    else Object.defineProperty(process, 'moduleLoadList', list);
  });
});
