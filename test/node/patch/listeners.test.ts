import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { standBefore } from '../../../src/node/patch/listeners.js';

describe('standing before a listener of Node’s own', () => {
  function subject(): { emitter: EventEmitter; original: (...args: unknown[]) => void; calls: unknown[][] } {
    const calls: unknown[][] = [];
    const original = function original(this: unknown, ...args: unknown[]): void {
      calls.push([this, ...args]);
    };
    const emitter = new EventEmitter().on('event', original);
    return { emitter, original, calls };
  }

  it('sees each event, and decides when the original does', () => {
    const { emitter, original, calls } = subject();
    const seen: unknown[] = [];
    standBefore<[string]>(emitter, 'event', original, (next, word) => {
      seen.push(word, calls.length);
      next();
    });
    emitter.emit('event', 'a word', 2);
    expect(seen).to.deep.equal(['a word', 0]);
    expect(calls).to.deep.equal([[emitter, 'a word', 2]]);
  });

  it('tells no ‘newListener’, and looks like the original', () => {
    const { emitter, original } = subject();
    const added: string[] = [];
    emitter.on('newListener', (event) => added.push(event));
    standBefore(emitter, 'event', original, (next) => next());
    const [listener, ...rest] = emitter.listeners('event');
    expect([added, rest]).to.deep.equal([[], []]);
    expect(listener).not.to.equal(original);
    expect([listener?.name, listener?.length]).to.deep.equal(['original', 0]);
  });

  it('is undone to the very same listener, among others too', () => {
    const { emitter, original } = subject();
    const other = (): void => undefined;
    emitter.on('event', other);
    const undo = standBefore(emitter, 'event', original, (next) => next());
    expect(emitter.listeners('event')).not.to.include(original);
    undo?.();
    expect(emitter.listeners('event')).to.deep.equal([original, other]);
  });

  it('does nothing any more once it is undone, though somebody else has wrapped it since', () => {
    const { emitter, original, calls } = subject();
    let seen = 0;
    const undo = standBefore(emitter, 'event', original, (next) => {
      seen++;
      next();
    });
    const [ours] = emitter.listeners('event');
    emitter.removeAllListeners('event').on('event', function (this: unknown, ...args) {
      ours?.apply(this, args);
    });
    undo?.();
    emitter.emit('event', 'a word');
    expect(seen).to.equal(0);
    expect(calls).to.deep.equal([[emitter, 'a word']]);
  });

  it('is not to be had where there is no such listener', () => {
    const { emitter } = subject();
    expect(
      standBefore(
        emitter,
        'event',
        () => undefined,
        (next) => next(),
      ),
    ).to.equal(undefined);
    expect(
      standBefore(
        emitter,
        'another',
        () => undefined,
        (next) => next(),
      ),
    ).to.equal(undefined);
    expect(standBefore(emitter, 'event', undefined, (next) => next())).to.equal(undefined);
  });
});
