import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { LiveHandles } from '../../../src/report/live/handles.js';

/** Counts who asks for its descriptor. */
function makeHandle(): { fd: number; readonly handle: { readonly fd: number }; looks: number } {
  const made = {
    fd: 7,
    looks: 0,
    handle: {
      get fd() {
        made.looks++;
        return made.fd;
      },
    },
  };
  return made;
}

describe('a list of open sockets', () => {
  it('has those that are open, the oldest first', () => {
    const live = new LiveHandles<{ handle: { readonly fd: number } }>();
    const made = Array.from({ length: 5 }, makeHandle);
    for (const { handle } of made) live.add({ handle });
    for (const index of [0, 3]) if (made[index] !== undefined) made[index].fd = -1;
    expect(live.open().map(({ handle }) => handle)).to.deep.equal(
      [made[1], made[2], made[4]].map((one) => one?.handle),
    );
  });

  it('keeps none of them alive', async () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const live = new LiveHandles<{ handle: { readonly fd: number } }>();
    const gone: WeakRef<object>[] = [];
    const kept = makeHandle();
    const addAll = (): void => {
      for (let index = 0; index < 10; index++) {
        const { handle } = makeHandle();
        live.add({ handle });
        gone.push(new WeakRef(handle));
      }
    };
    addAll();
    live.add({ handle: kept.handle });
    // What was dereferenced in this turn lives until its end.
    await new Promise(setImmediate);
    collect();
    expect(gone.filter((one) => one.deref() !== undefined)).to.have.length(0);
    expect(live.open().map(({ handle }) => handle)).to.deep.equal([kept.handle]);
  });

  it('drops closed ones though nobody asks for the open ones, and looks at each but a few times', () => {
    const live = new LiveHandles<{ handle: { readonly fd: number } }>();
    const made = Array.from({ length: 20_000 }, makeHandle);
    for (const [index, one] of made.entries()) {
      live.add({ handle: one.handle });
      // Short connections: only the last ten are open.
      const gone = made[index - 10];
      if (gone !== undefined) gone.fd = -1;
    }
    const looks = made.reduce((sum, one) => sum + one.looks, 0);
    expect(looks).to.be.within(15_000, 40_000);
    expect(live.open()).to.have.length(10);
    // Once, or twice where it was among those that were still open at the first look.
    expect(Math.max(...made.slice(0, 15_000).map((one) => one.looks))).to.equal(2);
  });
});
