import { AsyncLocalStorage } from 'node:async_hooks';
import { readFile } from 'node:fs';
import { expect } from 'chai';
import { poolTurn } from '../../src/node/clock.js';

type Enter = (act: () => void) => void;

/** Ways into the phases of the event loop from which something is asked of the thread pool. */
const PHASES: Readonly<Record<string, Enter>> = {
  'a completion of the pool': (act) => readFile('/dev/null', act),
  'an immediate': (act) => setImmediate(act),
  'a timer': (act) => setTimeout(act, 0),
  'a tick': (act) => process.nextTick(act),
};

describe('what is answered without the thread pool', () => {
  for (const [phase, enter] of Object.entries(PHASES)) {
    it(`comes after all that an app queues meanwhile, asked from ${phase}`, async () => {
      const seen: string[] = [];
      await new Promise<void>((resolve) => {
        enter(() => {
          poolTurn(() => {
            seen.push('answer');
            resolve();
          });
          process.nextTick(() => seen.push('tick'));
          queueMicrotask(() => {
            seen.push('microtask');
            setImmediate(() => seen.push('immediate of a microtask'));
          });
          setImmediate(() => {
            seen.push('immediate');
            process.nextTick(() => seen.push('tick of an immediate'));
            queueMicrotask(() => seen.push('microtask of an immediate'));
          });
        });
      });
      expect(seen).to.have.members([
        'tick',
        'microtask',
        'immediate',
        'tick of an immediate',
        'microtask of an immediate',
        'immediate of a microtask',
        'answer',
      ]);
      expect(seen.at(-1)).to.equal('answer');
    });
  }

  it('comes once, in the context that asked', async () => {
    const context = new AsyncLocalStorage<string>();
    const calls: unknown[] = [];
    await context.run('asked', async () => {
      await new Promise<void>((resolve) => {
        poolTurn(() => {
          calls.push(context.getStore());
          resolve();
        });
      });
      await new Promise(setImmediate);
    });
    expect(calls).to.deep.equal(['asked']);
  });
});
