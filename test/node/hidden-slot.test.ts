import { createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { hiddenSlot } from '../../src/node/hidden-slot.js';

describe('a hidden slot', () => {
  it('holds a value on an object, and takes another', () => {
    const slot = hiddenSlot<object, string>();
    const object = {};
    expect(slot.get(object)).to.equal(undefined);
    slot.set(object, 'one');
    expect(slot.get(object)).to.equal('one');
    slot.set(object, 'two');
    expect(slot.get(object)).to.equal('two');
    expect(slot.get({})).to.equal(undefined);
  });

  it('shares nothing with another slot of the same object', () => {
    const one = hiddenSlot<object, number>();
    const other = hiddenSlot<object, number>();
    const object = {};
    one.set(object, 1);
    expect(other.get(object)).to.equal(undefined);
    other.set(object, 2);
    expect([one.get(object), other.get(object)]).to.deep.equal([1, 2]);
  });

  it('is seen by nobody', () => {
    const slot = hiddenSlot<Server, string>();
    const server = createServer();
    const before = { keys: Reflect.ownKeys(server), text: inspect(server, { showHidden: true }) };
    slot.set(server, 'ours');
    expect({ keys: Reflect.ownKeys(server), text: inspect(server, { showHidden: true }) }).to.deep.equal(before);
    expect(server).to.be.an.instanceOf(createServer().constructor);
  });

  it('takes objects that can be given no properties', () => {
    const slot = hiddenSlot<object, number>();
    const frozen = Object.freeze({});
    slot.set(frozen, 1);
    expect(slot.get(frozen)).to.equal(1);
  });
});
